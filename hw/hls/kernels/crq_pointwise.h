#ifndef CRQ_POINTWISE_H_
#define CRQ_POINTWISE_H_

#include "crq_threshold.h"

// Layers that treat every value on its own: PE channels per cycle. Each operation is a struct with
// `apply(operand of channel fold * pe + lane, fold, lane)`.

namespace crq {

template <typename CONFIG_T, class table_T> struct threshold_op {
    const table_T &table;
    explicit threshold_op(const table_T &table) : table(table) {}
    template <class y_T, class x_T> y_T apply(const x_T &x, unsigned fold, unsigned lane) const {
        #pragma HLS INLINE
        return activation<CONFIG_T, CONFIG_T::levels>::template apply<y_T>(x, table, fold, lane);
    }
};

template <typename CONFIG_T, class table_T> struct bias_op {
    const table_T &values;
    explicit bias_op(const table_T &values) : values(values) {}
    template <class y_T, class x_T> y_T apply(const x_T &x, unsigned fold, unsigned lane) const {
        #pragma HLS INLINE
        return y_T(x + values[fold][lane]);
    }
};

template <typename CONFIG_T, class table_T> struct negate_op {
    const table_T &negative;
    explicit negate_op(const table_T &negative) : negative(negative) {}
    template <class y_T, class x_T> y_T apply(const x_T &x, unsigned fold, unsigned lane) const {
        #pragma HLS INLINE
        return negative[fold][lane] ? y_T(-x) : y_T(x);
    }
};

template <typename CONFIG_T> struct shift_op {
    template <class y_T, class x_T> y_T apply(const x_T &x, unsigned, unsigned) const {
        #pragma HLS INLINE
        return y_T(y_T(x) << CONFIG_T::shift);
    }
};

// io_stream: channels / PE cycles per pixel.
template <class data_T, class res_T, typename CONFIG_T, class op_T>
void pointwise_stream(hls::stream<data_T> &data, hls::stream<res_T> &res, const op_T &op) {
    #pragma HLS INLINE
    typedef typename res_T::value_type y_T;
    const unsigned folds = CONFIG_T::channels / CONFIG_T::pe;
    typename data_T::value_type x[folds][CONFIG_T::pe];
    #pragma HLS ARRAY_PARTITION variable=x complete dim=0
    y_T y[folds][CONFIG_T::pe];
    #pragma HLS ARRAY_PARTITION variable=y complete dim=0
    unsigned fold = 0;
Cycles:
    for (unsigned cycle = 0; cycle < CONFIG_T::pixels * folds; cycle++) {
        #pragma HLS PIPELINE II=1
        if (fold == 0) {
            const data_T beat = data.read();
        Beat:
            for (unsigned c = 0; c < CONFIG_T::channels; c++) {
                #pragma HLS UNROLL
                x[c / CONFIG_T::pe][c % CONFIG_T::pe] = beat[c];
            }
        }
    Lanes:
        for (unsigned pe = 0; pe < CONFIG_T::pe; pe++) {
            #pragma HLS UNROLL
            y[fold][pe] = op.template apply<y_T>(x[fold][pe], fold, pe);
        }
        if (fold + 1 == folds) {
            fold = 0;
            res_T beat;
        Result:
            for (unsigned c = 0; c < CONFIG_T::channels; c++) {
                #pragma HLS UNROLL
                beat[c] = y[c / CONFIG_T::pe][c % CONFIG_T::pe];
            }
            res.write(beat);
        } else {
            fold++;
        }
    }
}

template <class x_T, class y_T, typename CONFIG_T, class op_T>
void pointwise_parallel(const x_T data[CONFIG_T::pixels * CONFIG_T::channels],
                        y_T res[CONFIG_T::pixels * CONFIG_T::channels], const op_T &op) {
    #pragma HLS INLINE
Pixels:
    for (unsigned p = 0; p < CONFIG_T::pixels; p++) {
        #pragma HLS UNROLL
    Channels:
        for (unsigned c = 0; c < CONFIG_T::channels; c++) {
            #pragma HLS UNROLL
            res[p * CONFIG_T::channels + c] = op.template apply<y_T>(data[p * CONFIG_T::channels + c], 0, c);
        }
    }
}

// The sum of two tensors: channels / PE cycles per pixel.
template <class data1_T, class data2_T, class res_T, typename CONFIG_T>
void add_stream(hls::stream<data1_T> &data1, hls::stream<data2_T> &data2, hls::stream<res_T> &res) {
    #pragma HLS INLINE
    typedef typename res_T::value_type y_T;
    const unsigned folds = CONFIG_T::channels / CONFIG_T::pe;
    typename data1_T::value_type a[folds][CONFIG_T::pe];
    #pragma HLS ARRAY_PARTITION variable=a complete dim=0
    typename data2_T::value_type b[folds][CONFIG_T::pe];
    #pragma HLS ARRAY_PARTITION variable=b complete dim=0
    y_T sums[folds][CONFIG_T::pe];
    #pragma HLS ARRAY_PARTITION variable=sums complete dim=0
    unsigned fold = 0;
Cycles:
    for (unsigned cycle = 0; cycle < CONFIG_T::pixels * folds; cycle++) {
        #pragma HLS PIPELINE II=1
        if (fold == 0) {
            const data1_T beat1 = data1.read();
            const data2_T beat2 = data2.read();
        Beats:
            for (unsigned c = 0; c < CONFIG_T::channels; c++) {
                #pragma HLS UNROLL
                a[c / CONFIG_T::pe][c % CONFIG_T::pe] = beat1[c];
                b[c / CONFIG_T::pe][c % CONFIG_T::pe] = beat2[c];
            }
        }
    Lanes:
        for (unsigned pe = 0; pe < CONFIG_T::pe; pe++) {
            #pragma HLS UNROLL
            sums[fold][pe] = y_T(a[fold][pe] + b[fold][pe]);
        }
        if (fold + 1 == folds) {
            fold = 0;
            res_T beat;
        Result:
            for (unsigned c = 0; c < CONFIG_T::channels; c++) {
                #pragma HLS UNROLL
                beat[c] = sums[c / CONFIG_T::pe][c % CONFIG_T::pe];
            }
            res.write(beat);
        } else {
            fold++;
        }
    }
}

template <class x1_T, class x2_T, class y_T, typename CONFIG_T>
void add_parallel(const x1_T data1[CONFIG_T::pixels * CONFIG_T::channels],
                  const x2_T data2[CONFIG_T::pixels * CONFIG_T::channels],
                  y_T res[CONFIG_T::pixels * CONFIG_T::channels]) {
    #pragma HLS INLINE
Values:
    for (unsigned i = 0; i < CONFIG_T::pixels * CONFIG_T::channels; i++) {
        #pragma HLS UNROLL
        res[i] = y_T(data1[i] + data2[i]);
    }
}

} // namespace crq

#endif
