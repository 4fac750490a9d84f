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
    typedef geometry<CONFIG_T> G;
    counter<G::channel_folds * G::input_folds> address; // of the weight word: channel_fold * input_folds + input_fold
    counter<G::channel_folds> channel_fold;             // block of PE output channels
    counter<G::input_folds> input_fold;                 // word of SIMD products
    counter<G::group_blocks> block;                     // block of input groups that the output channels read
    counter<G::blocks_per_group> block_fold;            // channel folds since the block began

    fold_counter() : address(0), channel_fold(0), input_fold(0), block(0), block_fold(0) {}

    bool ends_sums() const { return input_fold + 1 == G::input_folds; }
    bool is_last() const { return channel_fold + 1 == G::channel_folds && ends_sums(); }
    void advance() {
        #pragma HLS INLINE
        if (is_last()) {
            address = 0;
            channel_fold = 0;
            input_fold = 0;
            block = 0;
            block_fold = 0;
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
// The operands of one lane in one cycle, in the registers of the window.
template <class x_T, typename CONFIG_T> struct window_operands {
    const typename window<x_T, CONFIG_T>::array &taps;
    const fold_counter<CONFIG_T> &at;
    const unsigned group;
    window_operands(const typename window<x_T, CONFIG_T>::array &taps, const fold_counter<CONFIG_T> &at, unsigned pe)
        : taps(taps), at(at), group(pe / geometry<CONFIG_T>::outputs_per_block_group) {}
    x_T get(unsigned simd) const {
        #pragma HLS INLINE
        return window<x_T, CONFIG_T>::lane(taps, at.block, group, at.input_fold, simd);
    }
};

// The sum of SIMD products of one lane: of a row of weight words and of what `operands.get(simd)` gives.
template <typename CONFIG_T, class operands_T, class words_T>
typename product_types<CONFIG_T>::partial_t products(const operands_T &operands, const words_T &weights) {
    #pragma HLS INLINE
    typename product_types<CONFIG_T>::partial_t partial = 0;
Words:
    for (unsigned word = 0; word < CONFIG_T::words; word++) {
        #pragma HLS UNROLL
    Products:
        for (unsigned i = 0; i < CONFIG_T::word_lanes; i++) {
            #pragma HLS UNROLL
            const unsigned simd = word * CONFIG_T::word_lanes + i;
            if (simd < CONFIG_T::simd)
                partial += product<CONFIG_T, CONFIG_T::ternary>::apply(operands.get(simd),
                                                                       code_of<CONFIG_T>(weights[word], i));
        }
    }
    return partial;
}

// One cycle: SIMD products into each of PE accumulators, which wrap modulo 2^width; a finished sum is in range, so it is
// exact. The last products of a sum make its result.
template <class x_T, class y_T, typename CONFIG_T, class weights_T, class starts_T, class act_T>
void mac_fold(const typename window<x_T, CONFIG_T>::array &taps, const weights_T &weights, const starts_T &starts,
              const act_T &act, const fold_counter<CONFIG_T> &at, typename CONFIG_T::accum_t sums[CONFIG_T::pe],
              y_T results[CONFIG_T::pe]) {
    #pragma HLS INLINE
Lanes:
    for (unsigned pe = 0; pe < CONFIG_T::pe; pe++) {
        #pragma HLS UNROLL
        typename CONFIG_T::accum_t sum = sums[pe];
        if (at.input_fold == 0)
            sum = start_value<CONFIG_T>(starts, at.channel_fold, pe);
        sum += products<CONFIG_T>(window_operands<x_T, CONFIG_T>(taps, at, pe), weights[at.address][pe]);
        sums[pe] = sum;
        if (at.ends_sums())
            results[pe] = act.template apply<y_T>(sum, at.channel_fold, pe);
    }
}
#endif

// io_stream: one input pixel per beat enters the window; every output pixel takes channel_folds * input_folds cycles and
// gives a beat of PE channels as soon as their sums are complete.
template <class data_T, class res_T, typename CONFIG_T, class weights_T, class starts_T, class act_T>
void mac_stream(hls::stream<data_T> &data, hls::stream<res_T> &res,
                typename data_T::value_type lines[geometry<CONFIG_T>::lines][geometry<CONFIG_T>::line_width]
                                                 [CONFIG_T::in_channels],
                const weights_T &weights, const starts_T &starts, const act_T &act) {
    #pragma HLS INLINE
#ifdef CRQ_FAST_SIM
    mac_fast<data_T, res_T, CONFIG_T>(data, res, lines, weights, starts, act);
#else
    typedef geometry<CONFIG_T> G;
    typedef typename data_T::value_type x_T;
    typedef typename res_T::value_type y_T;
    const unsigned cycles = G::pixels - G::out_pixels + G::out_pixels * G::channel_folds * G::input_folds;

    x_T columns[G::column_rows][G::columns][G::column_channels];
    #pragma HLS ARRAY_PARTITION variable=columns complete dim=0
    typename window<x_T, CONFIG_T>::array taps;
    #pragma HLS ARRAY_PARTITION variable=taps complete dim=0
    typename CONFIG_T::accum_t sums[CONFIG_T::pe];
    #pragma HLS ARRAY_PARTITION variable=sums complete dim=0
    position<CONFIG_T> at;
    fold_counter<CONFIG_T> fold;

Cycles:
    for (unsigned cycle = 0; cycle < cycles; cycle++) {
        #pragma HLS PIPELINE II=1 style=flp
        if (fold.address == 0)
            enter_window<data_T, x_T, CONFIG_T>(data, at, 0, lines, columns, taps);
        bool pixel_done = true;
        if (at.is_output()) {
            y_T results[CONFIG_T::pe];
            #pragma HLS ARRAY_PARTITION variable=results complete dim=0
            mac_fold<x_T, y_T, CONFIG_T>(taps, weights, starts, act, fold, sums, results);
            if (fold.ends_sums()) {
                res_T beat;
            Result:
                for (unsigned pe = 0; pe < CONFIG_T::pe; pe++) {
                    #pragma HLS UNROLL
                    beat[pe] = results[pe];
                }
                res.write(beat);
            }
            pixel_done = fold.is_last();
            fold.advance();
        }
        if (pixel_done)
            at.advance();
    }
#endif
}

} // namespace crq

#endif
