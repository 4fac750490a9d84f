#ifndef CRQ_MAC_H_
#define CRQ_MAC_H_

#include "crq_product.h"
#include "crq_threshold.h"
#include "crq_window.h"
#ifdef CRQ_FAST_SIM
#include "crq_mac_fast.h"
#endif

// Convolution and dense layers: exact sums of products with constant codes, PE output channels and SIMD products per
// cycle, and, if the layer has thresholds, the codes of the finished sums. A dense layer is a convolution whose kernel
// covers its whole input.

namespace crq {

template <typename CONFIG_T, class starts_T>
typename CONFIG_T::accum_t start_value(const starts_T &starts, unsigned fold, unsigned lane) {
    #pragma HLS INLINE
    return starts[fold][lane];
}
template <typename CONFIG_T>
typename CONFIG_T::accum_t start_value(const no_table &, unsigned, unsigned) {
    #pragma HLS INLINE
    return 0;
}

// Where a layer stands in the computation of one output pixel.
template <typename CONFIG_T> struct fold_counter {
    unsigned address;      // of the weight word: channel_fold * input_folds + input_fold
    unsigned channel_fold; // block of PE output channels
    unsigned input_fold;   // word of SIMD products
    unsigned block;        // block of input groups that the output channels read
    unsigned block_fold;   // channel folds since the block began

    fold_counter() : address(0), channel_fold(0), input_fold(0), block(0), block_fold(0) {}

    bool is_last() const {
        return channel_fold + 1 == geometry<CONFIG_T>::channel_folds && input_fold + 1 == geometry<CONFIG_T>::input_folds;
    }
    void advance() {
        #pragma HLS INLINE
        typedef geometry<CONFIG_T> G;
        if (is_last()) {
            address = channel_fold = input_fold = block = block_fold = 0;
            return;
        }
        address++;
        if (input_fold + 1 < G::input_folds) {
            input_fold++;
            return;
        }
        input_fold = 0;
        channel_fold++;
        if (block_fold + 1 < G::blocks_per_group) {
            block_fold++;
        } else {
            block_fold = 0;
            block++;
        }
    }
};

#ifndef CRQ_FAST_SIM
// One cycle: SIMD products into each of PE accumulators, which wrap modulo 2^width; a finished sum is in range, so it is
// exact. The last products of a sum make its result.
template <class x_T, class y_T, typename CONFIG_T, class weights_T, class starts_T, class table_T>
void mac_fold(const typename window<x_T, CONFIG_T>::array &taps, const weights_T &weights, const starts_T &starts,
              const table_T &table, const fold_counter<CONFIG_T> &at, typename CONFIG_T::accum_t sums[CONFIG_T::pe],
              y_T results[geometry<CONFIG_T>::channel_folds][CONFIG_T::pe]) {
    #pragma HLS INLINE
    typedef geometry<CONFIG_T> G;
Lanes:
    for (unsigned pe = 0; pe < CONFIG_T::pe; pe++) {
        #pragma HLS UNROLL
        typename CONFIG_T::accum_t sum = sums[pe];
        if (at.input_fold == 0)
            sum = start_value<CONFIG_T>(starts, at.channel_fold, pe);
        typename product_types<CONFIG_T>::partial_t partial = 0;
    Words:
        for (unsigned word = 0; word < CONFIG_T::words; word++) {
            #pragma HLS UNROLL
        Products:
            for (unsigned i = 0; i < CONFIG_T::word_lanes; i++) {
                #pragma HLS UNROLL
                const unsigned simd = word * CONFIG_T::word_lanes + i;
                if (simd < CONFIG_T::simd) {
                    const x_T x = window<x_T, CONFIG_T>::lane(taps, at.block, pe / G::outputs_per_block_group,
                                                              at.input_fold, simd);
                    partial += product<CONFIG_T, CONFIG_T::ternary>::apply(
                        x, code_of<CONFIG_T>(weights[at.address][pe][word], i));
                }
            }
        }
        sum += partial;
        sums[pe] = sum;
        if (at.input_fold + 1 == G::input_folds)
            results[at.channel_fold][pe] =
                activation<CONFIG_T, CONFIG_T::levels>::template apply<y_T>(sum, table, at.channel_fold, pe);
    }
}
#endif

// io_stream: one input pixel per beat enters the window; every output pixel takes channel_folds * input_folds cycles.
template <class data_T, class res_T, typename CONFIG_T, class weights_T, class starts_T, class table_T>
void mac_stream(hls::stream<data_T> &data, hls::stream<res_T> &res, const weights_T &weights, const starts_T &starts,
                const table_T &table) {
    #pragma HLS INLINE
    typedef geometry<CONFIG_T> G;
    typedef typename data_T::value_type x_T;
    typedef typename res_T::value_type y_T;
#ifdef CRQ_FAST_SIM
    typedef typename CONFIG_T::fast_lane_t tap_T;
    const unsigned output_cycles = 1;
#else
    typedef x_T tap_T;
    const unsigned output_cycles = G::channel_folds * G::input_folds;
#endif
    const unsigned cycles = G::pixels - G::out_pixels + G::out_pixels * output_cycles;

    x_T lines[G::lines][G::line_width][CONFIG_T::in_channels];
    #pragma HLS ARRAY_PARTITION variable=lines complete dim=1
    #pragma HLS ARRAY_RESHAPE variable=lines complete dim=3
    #pragma HLS DEPENDENCE variable=lines inter RAW distance=G::line_width true
    x_T columns[G::column_rows][G::columns][G::column_channels];
    #pragma HLS ARRAY_PARTITION variable=columns complete dim=0
    typename window<tap_T, CONFIG_T>::array taps;
    #pragma HLS ARRAY_PARTITION variable=taps complete dim=0
    y_T results[G::channel_folds][CONFIG_T::pe];
    #pragma HLS ARRAY_PARTITION variable=results complete dim=0
#ifndef CRQ_FAST_SIM
    typename CONFIG_T::accum_t sums[CONFIG_T::pe];
    #pragma HLS ARRAY_PARTITION variable=sums complete dim=0
#endif
    position<CONFIG_T> at;
    fold_counter<CONFIG_T> fold;

Cycles:
    for (unsigned cycle = 0; cycle < cycles; cycle++) {
        #pragma HLS PIPELINE II=1
        if (fold.address == 0) {
            x_T pixel[CONFIG_T::in_channels];
            #pragma HLS ARRAY_PARTITION variable=pixel complete dim=0
            x_T column[CONFIG_T::kernel_height][CONFIG_T::in_channels];
            #pragma HLS ARRAY_PARTITION variable=column complete dim=0
            if (at.is_padding()) {
            Padding:
                for (unsigned c = 0; c < CONFIG_T::in_channels; c++) {
                    #pragma HLS UNROLL
                    pixel[c] = 0;
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
            shift_window<tap_T, x_T, CONFIG_T>(taps, columns, column);
        }
        bool pixel_done = true;
        if (at.is_output()) {
#ifdef CRQ_FAST_SIM
            mac_pixel<tap_T, y_T, CONFIG_T>(taps, weights, starts, table, results);
#else
            mac_fold<x_T, y_T, CONFIG_T>(taps, weights, starts, table, fold, sums, results);
            pixel_done = fold.is_last();
            fold.advance();
#endif
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

// io_parallel: everything unrolled, every weight a constant; a zero costs nothing.
template <class x_T, class y_T, typename CONFIG_T, class weights_T, class starts_T, class table_T>
void mac_parallel(const x_T data[CONFIG_T::in_height * CONFIG_T::in_width * CONFIG_T::in_channels],
                  y_T res[CONFIG_T::out_height * CONFIG_T::out_width * CONFIG_T::out_channels],
                  const weights_T &weights, const starts_T &starts, const table_T &table) {
    #pragma HLS INLINE
    static_assert(CONFIG_T::pe == CONFIG_T::out_channels && CONFIG_T::simd == geometry<CONFIG_T>::fan_in,
                  "io_parallel does not fold");
#ifdef CRQ_FAST_SIM
    typedef typename CONFIG_T::fast_lane_t tap_T;
#else
    typedef x_T tap_T;
#endif
Rows:
    for (unsigned oy = 0; oy < CONFIG_T::out_height; oy++) {
        #pragma HLS UNROLL
    Columns:
        for (unsigned ox = 0; ox < CONFIG_T::out_width; ox++) {
            #pragma HLS UNROLL
            typename window<tap_T, CONFIG_T>::array taps;
            #pragma HLS ARRAY_PARTITION variable=taps complete dim=0
            y_T results[1][CONFIG_T::pe];
            #pragma HLS ARRAY_PARTITION variable=results complete dim=0
            gather_window<tap_T, x_T, CONFIG_T>(data, oy, ox, 0, taps);
#ifdef CRQ_FAST_SIM
            mac_pixel<tap_T, y_T, CONFIG_T>(taps, weights, starts, table, results);
#else
            typename CONFIG_T::accum_t sums[CONFIG_T::pe];
            #pragma HLS ARRAY_PARTITION variable=sums complete dim=0
            mac_fold<x_T, y_T, CONFIG_T>(taps, weights, starts, table, fold_counter<CONFIG_T>(), sums, results);
#endif
        Result:
            for (unsigned c = 0; c < CONFIG_T::out_channels; c++) {
                #pragma HLS UNROLL
                res[(oy * CONFIG_T::out_width + ox) * CONFIG_T::out_channels + c] = results[0][c];
            }
        }
    }
}

} // namespace crq

#endif
