#ifndef CRQ_GRAPH_H_
#define CRQ_GRAPH_H_

#include "crq_threshold.h"
#include "crq_window.h"
#ifdef CRQ_FAST_SIM
#include "crq_mac_fast.h"
#endif

// Convolution and dense layers whose weights are all built in: the sums of a pixel are one adder graph, generated beside
// the layer, whose `apply` makes them from the registers of the window.

namespace crq {

#ifdef CRQ_FAST_SIM
// As the tap type of a layer in fast simulation; sums are wrapped to the width of the accumulator.
template <class x_T, typename CONFIG_T> struct graph_types {
    typedef typename CONFIG_T::fast_lane_t tap_t;
    typedef long long sum_t;
    typedef typename CONFIG_T::accum_t accum_t;
    static accum_t exact(sum_t sum) {
        return accum_t(wrap<CONFIG_T::accum_bits, CONFIG_T::accum_signed>((unsigned long long)(sum)));
    }
};
#else
template <class x_T, typename CONFIG_T> struct graph_types {
    typedef x_T tap_t;
    typedef typename CONFIG_T::accum_t sum_t;
    static sum_t exact(const sum_t &sum) {
        #pragma HLS INLINE
        return sum;
    }
};
#endif

// The results of one pixel.
template <class x_T, class y_T, typename CONFIG_T, class graph_T, class act_T>
void graph_pixel(const typename window<typename graph_types<x_T, CONFIG_T>::tap_t, CONFIG_T>::array &taps,
                 const graph_T &graph, const act_T &act, y_T results[CONFIG_T::out_channels]) {
    #pragma HLS INLINE
    typedef graph_types<x_T, CONFIG_T> T;
    typename T::sum_t sums[CONFIG_T::out_channels];
    #pragma HLS ARRAY_PARTITION variable=sums complete dim=0
    graph.template apply<window<typename T::tap_t, CONFIG_T> >(taps, sums);
Results:
    for (unsigned c = 0; c < CONFIG_T::out_channels; c++) {
        #pragma HLS UNROLL
        results[c] = act.template apply<y_T>(T::exact(sums[c]), 0, c);
    }
}

// io_stream: one pixel of the padded image per cycle; those that complete a window give a beat of all channels.
template <class data_T, class res_T, typename CONFIG_T, class graph_T, class act_T>
void graph_stream(hls::stream<data_T> &data, hls::stream<res_T> &res,
                  typename data_T::value_type lines[geometry<CONFIG_T>::lines][geometry<CONFIG_T>::line_width]
                                                   [CONFIG_T::in_channels],
                  const graph_T &graph, const act_T &act) {
    #pragma HLS INLINE
    typedef geometry<CONFIG_T> G;
    typedef typename data_T::value_type x_T;
    typedef typename res_T::value_type y_T;
    typedef typename graph_types<x_T, CONFIG_T>::tap_t tap_T;

    x_T columns[G::column_rows][G::columns][G::column_channels];
    #pragma HLS ARRAY_PARTITION variable=columns complete dim=0
    typename window<tap_T, CONFIG_T>::array taps;
    #pragma HLS ARRAY_PARTITION variable=taps complete dim=0
    position<CONFIG_T> at;

Pixels:
    for (unsigned p = 0; p < G::pixels; p++) {
        #pragma HLS PIPELINE II=1 style=flp
        enter_window<data_T, tap_T, CONFIG_T>(data, at, 0, lines, columns, taps);
        if (at.is_output()) {
            y_T results[CONFIG_T::out_channels];
            #pragma HLS ARRAY_PARTITION variable=results complete dim=0
            graph_pixel<x_T, y_T, CONFIG_T>(taps, graph, act, results);
            res_T beat;
        Result:
            for (unsigned c = 0; c < CONFIG_T::out_channels; c++) {
                #pragma HLS UNROLL
                beat[c] = results[c];
            }
            res.write(beat);
        }
        at.advance();
    }
}

// io_parallel: all pixels at once. Where a window lies outside of the image its operands are zero, and their adders gone.
template <class x_T, class y_T, typename CONFIG_T, class graph_T, class act_T>
void graph_parallel(const x_T data[CONFIG_T::in_height * CONFIG_T::in_width * CONFIG_T::in_channels],
                    y_T res[CONFIG_T::out_height * CONFIG_T::out_width * CONFIG_T::out_channels], const graph_T &graph,
                    const act_T &act) {
    #pragma HLS INLINE
    typedef typename graph_types<x_T, CONFIG_T>::tap_t tap_T;
Rows:
    for (unsigned oy = 0; oy < CONFIG_T::out_height; oy++) {
        #pragma HLS UNROLL
    Columns:
        for (unsigned ox = 0; ox < CONFIG_T::out_width; ox++) {
            #pragma HLS UNROLL
            typename window<tap_T, CONFIG_T>::array taps;
            #pragma HLS ARRAY_PARTITION variable=taps complete dim=0
            y_T results[CONFIG_T::out_channels];
            #pragma HLS ARRAY_PARTITION variable=results complete dim=0
            gather_window<tap_T, x_T, CONFIG_T>(data, oy, ox, 0, taps);
            graph_pixel<x_T, y_T, CONFIG_T>(taps, graph, act, results);
        Result:
            for (unsigned c = 0; c < CONFIG_T::out_channels; c++) {
                #pragma HLS UNROLL
                res[(oy * CONFIG_T::out_width + ox) * CONFIG_T::out_channels + c] = results[c];
            }
        }
    }
}

} // namespace crq

#endif
