#ifndef CRQ_MAC_FAST_H_
#define CRQ_MAC_FAST_H_

#include "crq_threshold.h"
#include "crq_window.h"
#include <cstring>
#include <vector>

// Fast simulation of the sums of crq_mac.h: all folds of a pixel at once, on vectors of native integers. The weights are
// those of the ROM, unpacked once into masks.

namespace crq {

// Keeps BITS bits, as an accumulator of that width does.
template <int BITS, bool SIGNED> long long wrap(unsigned long long value) {
    const unsigned unused = 64 - BITS;
    return SIGNED ? (long long)(value << unused) >> unused : (long long)(value << unused >> unused);
}

template <typename CONFIG_T> struct unpacked_weights {
    typedef geometry<CONFIG_T> G;
    typedef typename CONFIG_T::fast_lane_t lane_t;
    static const unsigned row = window<lane_t, CONFIG_T>::row;
    // A ternary product is (x & first) ^ second; an integer product has its factor in `first`.
    std::vector<lane_t> first, second;

    template <class weights_T>
    explicit unpacked_weights(const weights_T &weights)
        : first(size_t(CONFIG_T::out_channels) * row), second(CONFIG_T::ternary ? first.size() : 0) {
        for (unsigned o = 0; o < CONFIG_T::out_channels; o++) {
            for (unsigned f = 0; f < G::fan_in; f++) {
                const unsigned address = o / CONFIG_T::pe * G::input_folds + f / CONFIG_T::simd;
                const unsigned lane = f % CONFIG_T::simd;
                const unsigned long long word = weights[address][o % CONFIG_T::pe][lane / CONFIG_T::word_lanes];
                const unsigned code = unsigned(word >> (CONFIG_T::weight_bits * (lane % CONFIG_T::word_lanes))) &
                                      CONFIG_T::weight_mask;
                const size_t at = size_t(o) * row + f;
                if (CONFIG_T::ternary) {
                    first[at] = lane_t(-(long long)(code & 1));
                    second[at] = lane_t(-(long long)(code >> 1));
                } else {
                    first[at] = lane_t(wrap<CONFIG_T::weight_bits, true>(code));
                }
            }
        }
    }
};

template <class lane_t, unsigned ROW, bool TERNARY> struct dot {
    static lane_t apply(const lane_t *x, const lane_t *first, const lane_t *second) {
        lane_t sum = 0;
        for (unsigned f = 0; f < ROW; f++)
            sum = lane_t(sum + ((x[f] & first[f]) ^ second[f]));
        return sum;
    }
};
template <class lane_t, unsigned ROW> struct dot<lane_t, ROW, false> {
    static lane_t apply(const lane_t *x, const lane_t *first, const lane_t *) {
        lane_t sum = 0;
        for (unsigned f = 0; f < ROW; f++)
            sum = lane_t(sum + x[f] * first[f]); // integer layer
        return sum;
    }
};

template <class starts_T> long long fast_start(const starts_T &starts, unsigned fold, unsigned lane) {
    return starts[fold][lane];
}
inline long long fast_start(const no_table &, unsigned, unsigned) { return 0; }

template <class lane_t, class y_T, typename CONFIG_T, class weights_T, class starts_T, class act_T>
void mac_pixel(const typename window<lane_t, CONFIG_T>::array &taps, const weights_T &weights, const starts_T &starts,
               const act_T &act, y_T results[CONFIG_T::out_channels]) {
    typedef geometry<CONFIG_T> G;
    typedef unpacked_weights<CONFIG_T> U;
    static const U unpacked(weights);
    for (unsigned o = 0; o < CONFIG_T::out_channels; o++) {
        const unsigned fold = o / CONFIG_T::pe, lane = o % CONFIG_T::pe;
        const lane_t *x = taps[o / G::group_outputs];
        const lane_t *second = CONFIG_T::ternary ? &unpacked.second[size_t(o) * U::row] : nullptr;
        const lane_t sum =
            dot<lane_t, U::row, CONFIG_T::ternary>::apply(x, &unpacked.first[size_t(o) * U::row], second);
        const typename CONFIG_T::accum_t exact = typename CONFIG_T::accum_t(
            wrap<CONFIG_T::accum_bits, CONFIG_T::accum_signed>(fast_start(starts, fold, lane) + sum));
        results[o] = act.template apply<y_T>(exact, fold, lane);
    }
}

// Both forms: results do not depend on the folding, so whole pixels are gathered and only beats are regrouped.
template <class data_T, class res_T, typename CONFIG_T, class weights_T, class starts_T, class act_T>
void mac_fast(hls::stream<data_T> &data, hls::stream<res_T> &res,
              typename data_T::value_type lines[geometry<CONFIG_T>::lines][geometry<CONFIG_T>::line_width]
                                               [CONFIG_T::in_channels],
              const weights_T &weights, const starts_T &starts, const act_T &act) {
    typedef geometry<CONFIG_T> G;
    typedef typename data_T::value_type x_T;
    typedef typename res_T::value_type y_T;
    typedef typename CONFIG_T::fast_lane_t tap_T;
    static_assert(sizeof(data_T) == sizeof(x_T) * data_T::size && sizeof(res_T) == sizeof(y_T) * res_T::size,
                  "the beats of a pixel are its channels, one after the other");
    x_T columns[G::column_rows][G::columns][G::column_channels];
    typename window<tap_T, CONFIG_T>::array taps;
    position<CONFIG_T> at;
    for (unsigned p = 0; p < G::pixels; p++) {
        x_T pixel[CONFIG_T::in_channels];
        x_T column[CONFIG_T::kernel_height][CONFIG_T::in_channels];
        if (at.is_padding()) {
            for (unsigned c = 0; c < CONFIG_T::in_channels; c++)
                pixel[c] = 0;
        } else {
            std::memcpy(pixel, data.take(CONFIG_T::in_channels / data_T::size), sizeof(pixel));
        }
        shift_lines<x_T, CONFIG_T>(pixel, G::has_lines ? at.x : 0, lines, column);
        shift_window<tap_T, x_T, CONFIG_T>(taps, columns, column);
        if (at.is_output()) {
            y_T results[CONFIG_T::out_channels];
            mac_pixel<tap_T, y_T, CONFIG_T>(taps, weights, starts, act, results);
            std::memcpy(res.give(G::channel_folds), results, sizeof(results));
        }
        at.advance();
    }
}

} // namespace crq

#endif
