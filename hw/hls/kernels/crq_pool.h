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
void max_pool_stream(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    #pragma HLS INLINE
    typedef geometry<CONFIG_T> G;
    typedef typename data_T::value_type x_T;
    const unsigned cycles = G::pixels - G::out_pixels + G::out_pixels * G::channel_folds;

    x_T lines[G::lines][G::line_width][CONFIG_T::in_channels];
    #pragma HLS ARRAY_PARTITION variable=lines complete dim=1
    #pragma HLS ARRAY_RESHAPE variable=lines complete dim=3
    #pragma HLS DEPENDENCE variable=lines inter RAW distance=G::line_width true
    x_T columns[G::column_rows][G::columns][G::column_channels];
    typename window<x_T, CONFIG_T>::array taps;
    #pragma HLS ARRAY_PARTITION variable=taps complete dim=0
    x_T results[G::channel_folds][CONFIG_T::pe];
    #pragma HLS ARRAY_PARTITION variable=results complete dim=0
    position<CONFIG_T> at;
    unsigned fold = 0;

Cycles:
    for (unsigned cycle = 0; cycle < cycles; cycle++) {
        #pragma HLS PIPELINE II=1
        if (fold == 0) {
            x_T pixel[CONFIG_T::in_channels];
            #pragma HLS ARRAY_PARTITION variable=pixel complete dim=0
            x_T column[CONFIG_T::kernel_height][CONFIG_T::in_channels];
            #pragma HLS ARRAY_PARTITION variable=column complete dim=0
            if (at.is_padding()) {
            Padding:
                for (unsigned c = 0; c < CONFIG_T::in_channels; c++) {
                    #pragma HLS UNROLL
                    pixel[c] = x_T(CONFIG_T::lowest);
                }
            } else {
                const data_T beat = data.read();
            Beat:
                for (unsigned c = 0; c < CONFIG_T::in_channels; c++) {
                    #pragma HLS UNROLL
                    pixel[c] = beat[c];
                }
            }
            shift_lines<x_T, CONFIG_T>(pixel, G::has_lines ? at.x : 0, lines, column);
            shift_window<x_T, x_T, CONFIG_T>(taps, columns, column);
        }
        bool pixel_done = true;
        if (at.is_output()) {
        Lanes:
            for (unsigned pe = 0; pe < CONFIG_T::pe; pe++) {
                #pragma HLS UNROLL
                results[fold][pe] = greatest<x_T, CONFIG_T>(taps, fold, pe);
            }
            pixel_done = fold + 1 == G::channel_folds;
            fold = pixel_done ? 0 : fold + 1;
            if (pixel_done) {
                res_T beat;
            Result:
                for (unsigned c = 0; c < CONFIG_T::out_channels; c++) {
                    #pragma HLS UNROLL
                    beat[c] = results[c / CONFIG_T::pe][c % CONFIG_T::pe];
                }
                res.write(beat);
            }
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

// io_stream: the sum of each channel over all pixels; channels / PE cycles per input pixel.
template <class data_T, class res_T, typename CONFIG_T>
void global_sum_stream(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    #pragma HLS INLINE
    typedef typename res_T::value_type y_T;
    const unsigned folds = CONFIG_T::channels / CONFIG_T::pe;
    typename data_T::value_type x[folds][CONFIG_T::pe];
    #pragma HLS ARRAY_PARTITION variable=x complete dim=0
    y_T sums[folds][CONFIG_T::pe];
    #pragma HLS ARRAY_PARTITION variable=sums complete dim=0
    unsigned fold = 0, pixel = 0;
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
            const y_T before = pixel == 0 ? y_T(0) : sums[fold][pe];
            sums[fold][pe] = y_T(before + x[fold][pe]);
        }
        if (fold + 1 == folds) {
            fold = 0;
            pixel++;
        } else {
            fold++;
        }
    }
    res_T beat;
Result:
    for (unsigned c = 0; c < CONFIG_T::channels; c++) {
        #pragma HLS UNROLL
        beat[c] = sums[c / CONFIG_T::pe][c % CONFIG_T::pe];
    }
    res.write(beat);
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
