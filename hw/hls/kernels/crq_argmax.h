#ifndef CRQ_ARGMAX_H_
#define CRQ_ARGMAX_H_

#include "crq_types.h"

// The channel of each pixel's greatest value, of equal ones the first.

namespace crq {

// io_stream: `lanes` channels per cycle.
template <class data_T, class res_T, typename CONFIG_T>
void argmax_stream(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    #pragma HLS INLINE
    typedef typename data_T::value_type x_T;
    typedef typename res_T::value_type y_T;
    const unsigned folds = CONFIG_T::channels / CONFIG_T::lanes;
    counter<folds> fold = 0;
    counter<CONFIG_T::channels> first = 0, best_at = 0;
    x_T best = 0;
Cycles:
    for (unsigned cycle = 0; cycle < CONFIG_T::pixels * folds; cycle++) {
        #pragma HLS PIPELINE II=1 style=flp
        const data_T beat = data.read();
        x_T value = beat[0];
        counter<CONFIG_T::channels> at = first;
    Lanes:
        for (unsigned lane = 1; lane < CONFIG_T::lanes; lane++) {
            #pragma HLS UNROLL
            if (beat[lane] > value) {
                value = beat[lane];
                at = first + lane;
            }
        }
        if (fold == 0 || value > best) {
            best = value;
            best_at = at;
        }
        if (fold + 1 == folds) {
            res_T result;
            result[0] = y_T(best_at);
            res.write(result);
            fold = 0;
            first = 0;
        } else {
            fold++;
            first += CONFIG_T::lanes;
        }
    }
}

template <class x_T, class y_T, typename CONFIG_T>
void argmax_parallel(const x_T data[CONFIG_T::pixels * CONFIG_T::channels], y_T res[CONFIG_T::pixels]) {
    #pragma HLS INLINE
Pixels:
    for (unsigned p = 0; p < CONFIG_T::pixels; p++) {
        #pragma HLS UNROLL
        x_T value = data[p * CONFIG_T::channels];
        y_T at = 0;
    Channels:
        for (unsigned c = 1; c < CONFIG_T::channels; c++) {
            #pragma HLS UNROLL
            if (data[p * CONFIG_T::channels + c] > value) {
                value = data[p * CONFIG_T::channels + c];
                at = c;
            }
        }
        res[p] = at;
    }
}

} // namespace crq

#endif
