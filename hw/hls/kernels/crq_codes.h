#ifndef CRQ_CODES_H_
#define CRQ_CODES_H_

#include "crq_folded.h"

// Codes one lane after the other, where the time between two blocks of sums allows it: a process of its own takes the
// block, and CONFIG_T::searchers circuits find the codes of all its lanes. C simulation, which has no circuits to save,
// finds them where the sums are made.

namespace crq {

#ifdef CRQ_HLS
// A lane of each searcher in every code_bits cycles: one comparison, and one word of a table, per cycle.
template <class sums_T, class res_T, typename CONFIG_T, class act_T>
void find_codes(hls::stream<sums_T> &sums, hls::stream<res_T> &res, const act_T &act) {
    #pragma HLS INLINE off
    typedef typename res_T::value_type y_T;
    const unsigned lanes = (CONFIG_T::pe + CONFIG_T::searchers - 1) / CONFIG_T::searchers; // of a searcher
    const unsigned folds = CONFIG_T::out_channels / CONFIG_T::pe;
    sums_T block;
    res_T beat;
    counter<lanes> lane = 0;
    counter<folds> fold = 0;

Steps:
    for (unsigned step = 0; step < CONFIG_T::out_height * CONFIG_T::out_width * folds * lanes; step++) {
        #pragma HLS PIPELINE II=CONFIG_T::code_bits style=flp
        if (lane == 0)
            block = sums.read();
    Searchers:
        for (unsigned searcher = 0; searcher < CONFIG_T::searchers; searcher++) {
            #pragma HLS UNROLL
            const unsigned pe = searcher * lanes + lane;
            if (pe < CONFIG_T::pe)
                beat[pe] = act.template apply<y_T>(block[pe], fold, pe);
        }
        if (lane + 1 < lanes) {
            lane++;
        } else {
            lane = 0;
            fold = fold + 1 < folds ? unsigned(fold + 1) : 0u;
            res.write(beat);
        }
    }
}

// The sums as a process of a dataflow region, which takes functions that stay functions.
template <class data_T, class sums_T, typename CONFIG_T, class weights_T, class starts_T>
void folded_sums(hls::stream<data_T> &data, hls::stream<sums_T> &sums,
                 typename data_T::value_type buffer[ring<CONFIG_T>::depth][CONFIG_T::word], const weights_T &weights,
                 const starts_T &starts) {
    #pragma HLS INLINE off
    const no_codes codes = no_codes();
    mac_folded<data_T, sums_T, CONFIG_T>(data, sums, buffer, weights, starts, codes);
}

template <class data_T, class sums_T, typename CONFIG_T, class weights_T, class starts_T>
void stream_sums(hls::stream<data_T> &data, hls::stream<sums_T> &sums,
                 typename data_T::value_type lines[geometry<CONFIG_T>::lines][geometry<CONFIG_T>::line_width]
                                                  [CONFIG_T::in_channels],
                 const weights_T &weights, const starts_T &starts) {
    #pragma HLS INLINE off
    const no_codes codes = no_codes();
    mac_stream<data_T, sums_T, CONFIG_T>(data, sums, lines, weights, starts, codes);
}

template <class data_T, class res_T, typename CONFIG_T, class weights_T, class starts_T, class act_T>
void mac_folded_searched(hls::stream<data_T> &data, hls::stream<res_T> &res,
                         typename data_T::value_type buffer[ring<CONFIG_T>::depth][CONFIG_T::word],
                         const weights_T &weights, const starts_T &starts, const act_T &act) {
    #pragma HLS DATAFLOW
    typedef nnet::array<typename CONFIG_T::accum_t, CONFIG_T::pe> sums_T;
    hls::stream<sums_T> blocks("blocks");
    #pragma HLS STREAM variable=blocks depth=2
    folded_sums<data_T, sums_T, CONFIG_T>(data, blocks, buffer, weights, starts);
    find_codes<sums_T, res_T, CONFIG_T>(blocks, res, act);
}

template <class data_T, class res_T, typename CONFIG_T, class weights_T, class starts_T, class act_T>
void mac_stream_searched(hls::stream<data_T> &data, hls::stream<res_T> &res,
                         typename data_T::value_type lines[geometry<CONFIG_T>::lines][geometry<CONFIG_T>::line_width]
                                                          [CONFIG_T::in_channels],
                         const weights_T &weights, const starts_T &starts, const act_T &act) {
    #pragma HLS DATAFLOW
    typedef nnet::array<typename CONFIG_T::accum_t, CONFIG_T::pe> sums_T;
    hls::stream<sums_T> blocks("blocks");
    #pragma HLS STREAM variable=blocks depth=2
    stream_sums<data_T, sums_T, CONFIG_T>(data, blocks, lines, weights, starts);
    find_codes<sums_T, res_T, CONFIG_T>(blocks, res, act);
}
#else
template <class data_T, class res_T, typename CONFIG_T, class weights_T, class starts_T, class act_T>
void mac_folded_searched(hls::stream<data_T> &data, hls::stream<res_T> &res,
                         typename data_T::value_type buffer[ring<CONFIG_T>::depth][CONFIG_T::word],
                         const weights_T &weights, const starts_T &starts, const act_T &act) {
    mac_folded<data_T, res_T, CONFIG_T>(data, res, buffer, weights, starts, act);
}

template <class data_T, class res_T, typename CONFIG_T, class weights_T, class starts_T, class act_T>
void mac_stream_searched(hls::stream<data_T> &data, hls::stream<res_T> &res,
                         typename data_T::value_type lines[geometry<CONFIG_T>::lines][geometry<CONFIG_T>::line_width]
                                                          [CONFIG_T::in_channels],
                         const weights_T &weights, const starts_T &starts, const act_T &act) {
    mac_stream<data_T, res_T, CONFIG_T>(data, res, lines, weights, starts, act);
}
#endif

} // namespace crq

#endif
