#ifndef CRQ_FOLDED_H_
#define CRQ_FOLDED_H_

#include "crq_mac.h"
#include "crq_pool.h"
#include "crq_ring.h"

// The folded form of convolution, dense and max pool: the window lies in one memory (crq_ring.h), of which an iteration
// reads one word of SIMD channels; where every channel stands alone, of PE channels.

namespace crq {

// The operands of lane `pe` in one cycle: the channels of the word, or the lane's own.
template <class operand_T, typename CONFIG_T> struct ring_operands {
    const operand_T (&x)[CONFIG_T::word];
    const unsigned pe;
    ring_operands(const operand_T (&x)[CONFIG_T::word], unsigned pe) : x(x), pe(pe) {}
    operand_T get(unsigned simd) const {
        #pragma HLS INLINE
        return x[CONFIG_T::lanewise ? pe : simd];
    }
};

// io_stream: a beat of PE channels every kernel height * kernel width * words of a group.
template <class data_T, class res_T, typename CONFIG_T, class weights_T, class starts_T, class act_T>
void mac_folded(hls::stream<data_T> &data, hls::stream<res_T> &res,
                typename data_T::value_type buffer[ring<CONFIG_T>::depth][CONFIG_T::word], const weights_T &weights,
                const starts_T &starts, const act_T &act) {
    #pragma HLS INLINE
    typedef typename data_T::value_type x_T;
#ifdef CRQ_FAST_SIM
    (void)buffer;
    x_T lines[geometry<CONFIG_T>::lines][geometry<CONFIG_T>::line_width][CONFIG_T::in_channels];
    mac_fast<data_T, res_T, CONFIG_T>(data, res, lines, weights, starts, act);
#else
    typedef typename res_T::value_type y_T;
    typedef typename operand<x_T, CONFIG_T>::type operand_T;
    typename CONFIG_T::accum_t sums[CONFIG_T::pe];
    #pragma HLS ARRAY_PARTITION variable=sums complete dim=0
    ring_writer<CONFIG_T> to;
    ring_reader<CONFIG_T> from;

Cycles:
    for (unsigned cycle = 0; cycle < ring<CONFIG_T>::trips; cycle++) {
        #pragma HLS PIPELINE II=1 style=flp
        // A word is first read 8 iterations after it is written, or later (hw/dataflow/blocking.py, `APART`): the write
        // may stand as many stages behind the read. The order of a read and the next write of its word is the tool's.
        #pragma HLS DEPENDENCE variable=buffer inter RAW distance=8 true
        static_assert(CONFIG_T::idle == 8, "the distance of the pragma is that of the schedule");
        operand_T x[CONFIG_T::word];
        #pragma HLS ARRAY_PARTITION variable=x complete dim=0
        const bool kept = to.keeps();
        ring_step<data_T, x_T, CONFIG_T>(data, buffer, to, from, 0, x);
        if (to.computes()) {
            res_T beat;
        Lanes:
            for (unsigned pe = 0; pe < CONFIG_T::pe; pe++) {
                #pragma HLS UNROLL
                typename CONFIG_T::accum_t sum = sums[pe];
                if (from.begins_block())
                    sum = start_value<CONFIG_T>(starts, from.channel_fold, pe);
                sum += products<CONFIG_T>(ring_operands<operand_T, CONFIG_T>(x, pe), weights[from.address][pe]);
                sums[pe] = sum;
                if (from.ends_block())
                    beat[pe] = act.template apply<y_T>(sum, from.channel_fold, pe);
            }
            if (from.ends_block())
                res.write(beat);
            from.advance();
        }
        to.advance(kept);
    }
#endif
}

// io_stream: the taps of a channel one after the other.
template <class data_T, class res_T, typename CONFIG_T>
void max_pool_folded(hls::stream<data_T> &data, hls::stream<res_T> &res,
                     typename data_T::value_type buffer[ring<CONFIG_T>::depth][CONFIG_T::word]) {
    #pragma HLS INLINE
    typedef typename data_T::value_type x_T;
#ifdef CRQ_FAST_SIM
    (void)buffer;
    x_T lines[geometry<CONFIG_T>::lines][geometry<CONFIG_T>::line_width][CONFIG_T::in_channels];
    max_pool_stream<data_T, res_T, CONFIG_T>(data, res, lines);
#else
    res_T best;
    ring_writer<CONFIG_T> to;
    ring_reader<CONFIG_T> from;

Cycles:
    for (unsigned cycle = 0; cycle < ring<CONFIG_T>::trips; cycle++) {
        #pragma HLS PIPELINE II=1 style=flp
        // As in mac_folded.
        #pragma HLS DEPENDENCE variable=buffer inter RAW distance=8 true
        static_assert(CONFIG_T::idle == 8, "the distance of the pragma is that of the schedule");
        x_T x[CONFIG_T::word];
        #pragma HLS ARRAY_PARTITION variable=x complete dim=0
        const bool kept = to.keeps();
        ring_step<data_T, x_T, CONFIG_T>(data, buffer, to, from, x_T(CONFIG_T::lowest), x);
        if (to.computes()) {
        Lanes:
            for (unsigned pe = 0; pe < CONFIG_T::pe; pe++) {
                #pragma HLS UNROLL
                if (from.begins_block() || x[pe] > best[pe])
                    best[pe] = x[pe];
            }
            if (from.ends_block())
                res.write(best);
            from.advance();
        }
        to.advance(kept);
    }
#endif
}

} // namespace crq

#endif
