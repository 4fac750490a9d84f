#ifndef NNET_ARRAY_H_
#define NNET_ARRAY_H_

namespace nnet {

// One beat of a stream: some channels of a pixel, or all. The same as hls4ml's nnet::array.
template <typename T, unsigned N> struct array {
    typedef T value_type;
    static const unsigned size = N;

    T data[N];

    T &operator[](unsigned pos) { return data[pos]; }
    const T &operator[](unsigned pos) const { return data[pos]; }
};

} // namespace nnet

#endif
