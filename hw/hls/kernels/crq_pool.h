#ifndef CRQ_POOL_H_
#define CRQ_POOL_H_

#include "crq_window.h"

// Max pool and global sum. A max pool's configuration describes a depthwise convolution: groups = out_channels =
// in_channels, simd = kernel size.

namespace crq {

// The greatest value of one channel's window; its SIMD lanes are the whole window.
template <class x_T, typename CONFIG_T>
x_T greatest(const typename window<x_T, CONFIG_T>::array &taps, unsigned fold, unsigned lane) {
    #pragma HLS INLINE
    x_T best = window<x_T, CONFIG_T>::lane(taps, fold, lane, 0, 0);
Taps:
    for (unsigned i = 1; i < CONFIG_T::simd; i++) {
        #pragma HLS UNROLL
        const x_T x = window<x_T, CONFIG_T>::lane(taps, fold, lane, 0, i);
        if (x > best)
            best = x;
    }
    return best;
}

// io_stream: channels / PE cycles per output pixel. Padding is the smallest value of the type, so it never wins.
template <class data_T, class res_T, typename CONFIG_T>
void max_pool_stream(hls::stream<data_T> &data, hls::stream<res_T> &res,
                     typename data_T::value_type lines[geometry<CONFIG_T>::lines][geometry<CONFIG_T>::line_width]
                                                      [CONFIG_T::in_channels]) {
    #pragma HLS INLINE
    typedef geometry<CONFIG_T> G;
    typedef typename data_T::value_type x_T;
    const unsigned cycles = G::pixels - G::out_pixels + G::out_pixels * G::channel_folds;

    x_T columns[G::column_rows][G::columns][G::column_channels];
    #pragma HLS ARRAY_PARTITION variable=columns complete dim=0
    typename window<x_T, CONFIG_T>::array taps;
    #pragma HLS ARRAY_PARTITION variable=taps complete dim=0
    position<CONFIG_T> at;
    counter<G::channel_folds> fold = 0;

Cycles:
    for (unsigned cycle = 0; cycle < cycles; cycle++) {
        #pragma HLS PIPELINE II=1 style=flp
        if (fold == 0)
            enter_window<data_T, x_T, CONFIG_T>(data, at, x_T(CONFIG_T::lowest), lines, columns, taps);
        bool pixel_done = true;
        if (at.is_output()) {
            res_T beat;
        Lanes:
            for (unsigned pe = 0; pe < CONFIG_T::pe; pe++) {
                #pragma HLS UNROLL
                beat[pe] = greatest<x_T, CONFIG_T>(taps, fold, pe);
            }
            res.write(beat);
            pixel_done = fold + 1 == G::channel_folds;
            fold = pixel_done ? 0u : unsigned(fold + 1);
        }
        if (pixel_done)
            at.advance();
    }
}

template <class x_T, class y_T, typename CONFIG_T>
void max_pool_parallel(const x_T data[CONFIG_T::in_height * CONFIG_T::in_width * CONFIG_T::in_channels],
                       y_T res[CONFIG_T::out_height * CONFIG_T::out_width * CONFIG_T::out_channels]) {
    #pragma HLS INLINE
Rows:
    for (unsigned oy = 0; oy < CONFIG_T::out_height; oy++) {
        #pragma HLS UNROLL
    Columns:
        for (unsigned ox = 0; ox < CONFIG_T::out_width; ox++) {
            #pragma HLS UNROLL
            typename window<x_T, CONFIG_T>::array taps;
            #pragma HLS ARRAY_PARTITION variable=taps complete dim=0
            gather_window<x_T, x_T, CONFIG_T>(data, oy, ox, x_T(CONFIG_T::lowest), taps);
        Channels:
            for (unsigned c = 0; c < CONFIG_T::out_channels; c++) {
                #pragma HLS UNROLL
                res[(oy * CONFIG_T::out_width + ox) * CONFIG_T::out_channels + c] = greatest<x_T, CONFIG_T>(taps, 0, c);
            }
        }
    }
}

// io_stream: the sum of each channel over all pixels, PE channels per cycle; the sums wait in a memory of a word per
// beat of a pixel.
template <class data_T, class res_T, typename CONFIG_T>
void global_sum_stream(hls::stream<data_T> &data, hls::stream<res_T> &res,
                       typename res_T::value_type sums[CONFIG_T::channels / CONFIG_T::pe][CONFIG_T::pe]) {
    #pragma HLS INLINE
    typedef typename res_T::value_type y_T;
    const unsigned folds = CONFIG_T::channels / CONFIG_T::pe;
    counter<folds> fold = 0;
    counter<CONFIG_T::pixels> pixel = 0;
Cycles:
    for (unsigned cycle = 0; cycle < CONFIG_T::pixels * folds; cycle++) {
        #pragma HLS PIPELINE II=1 style=flp
        const data_T beat = data.read();
        res_T result;
    Lanes:
        for (unsigned pe = 0; pe < CONFIG_T::pe; pe++) {
            #pragma HLS UNROLL
            const y_T before = pixel == 0 ? y_T(0) : sums[fold][pe];
            result[pe] = y_T(before + beat[pe]);
            sums[fold][pe] = result[pe];
        }
        if (pixel + 1 == CONFIG_T::pixels)
            res.write(result);
        if (fold + 1 == folds) {
            fold = 0;
            pixel++;
        } else {
            fold++;
        }
    }
}

template <class x_T, class y_T, typename CONFIG_T>
void global_sum_parallel(const x_T data[CONFIG_T::pixels * CONFIG_T::channels], y_T res[CONFIG_T::channels]) {
    #pragma HLS INLINE
Channels:
    for (unsigned c = 0; c < CONFIG_T::channels; c++) {
        #pragma HLS UNROLL
        y_T sum = 0;
    Pixels:
        for (unsigned p = 0; p < CONFIG_T::pixels; p++) {
            #pragma HLS UNROLL
            sum += data[p * CONFIG_T::channels + c];
        }
        res[c] = sum;
    }
}

} // namespace crq

#endif
