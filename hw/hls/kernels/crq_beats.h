#ifndef CRQ_BEATS_H_
#define CRQ_BEATS_H_

#include "crq_types.h"
#ifdef CRQ_FAST_SIM
#include "crq_beats_fast.h"
#endif

// Streams between layers: beats of other widths, and pixels that nobody reads.

namespace crq {

// Cuts each beat of PARTS * LANES channels into parts, and joins JOINED parts to a beat; VALUES in all.
template <class data_T, class res_T, unsigned VALUES, unsigned LANES>
void convert_beats(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    #pragma HLS INLINE
#ifdef CRQ_FAST_SIM
    convert_fast<data_T, res_T, VALUES>(data, res);
#else
    typedef typename data_T::value_type x_T;
    const unsigned PARTS = data_T::size / LANES;
    const unsigned JOINED = res_T::size / LANES;
    static_assert(PARTS * LANES == data_T::size && JOINED * LANES == res_T::size, "beats are made of whole parts");
    data_T held;
    res_T beat;
    counter<PARTS> from = 0;
    counter<JOINED> to = 0;
Parts:
    for (unsigned i = 0; i < VALUES / LANES; i++) {
        #pragma HLS PIPELINE II=1 style=flp
        if (from == 0)
            held = data.read();
        x_T part[LANES];
        #pragma HLS ARRAY_PARTITION variable=part complete dim=0
    Part:
        for (unsigned c = 0; c < LANES; c++) {
            #pragma HLS UNROLL
            part[c] = held[c];
        }
        // Both move by a part, so that no multiplexer chooses one.
    Cut:
        for (unsigned c = LANES; c < data_T::size; c++) {
            #pragma HLS UNROLL
            held[c - LANES] = held[c];
        }
    Join:
        for (unsigned c = 0; c < res_T::size; c++) {
            #pragma HLS UNROLL
            beat[c] = c + LANES < res_T::size ? beat[c + LANES < res_T::size ? c + LANES : 0]
                                              : part[c + LANES < res_T::size ? 0 : c + LANES - res_T::size];
        }
        from = from + 1 == PARTS ? 0 : unsigned(from + 1);
        if (to + 1 == JOINED) {
            to = 0;
            res.write(beat);
        } else {
            to++;
        }
    }
#endif
}

// Lets the first of every STRIDE_H rows and STRIDE_W columns of an image pass, WORDS beats per pixel; drops the others.
template <class data_T, unsigned HEIGHT, unsigned WIDTH, unsigned WORDS, unsigned STRIDE_H, unsigned STRIDE_W>
void decimate(hls::stream<data_T> &data, hls::stream<data_T> &res) {
    #pragma HLS INLINE
    counter<WORDS> word = 0;
    counter<WIDTH> column = 0;
    counter<STRIDE_H> y = 0; // row and column modulo the stride
    counter<STRIDE_W> x = 0;
Words:
    for (unsigned i = 0; i < HEIGHT * WIDTH * WORDS; i++) {
        #pragma HLS PIPELINE II=1 style=flp
        const data_T beat = data.read();
        if (x == 0 && y == 0)
            res.write(beat);
        if (word + 1 < WORDS) {
            word++;
        } else {
            word = 0;
            x = x + 1 == STRIDE_W ? 0 : unsigned(x + 1);
            if (column + 1 < WIDTH) {
                column++;
            } else {
                column = x = 0;
                y = y + 1 == STRIDE_H ? 0 : unsigned(y + 1);
            }
        }
    }
}

} // namespace crq

#endif
