#ifndef CRQ_TYPES_H_
#define CRQ_TYPES_H_

#include "ap_int.h"
#include "hls_stream.h"
#include "nnet_array.h"

// Three ways to compile one source:
//   CRQ_HLS       what the synthesis tool sees (defined with __SYNTHESIS__; g++ can compile and simulate it too)
//   (neither)     C simulation with ap types; ROMs are native integers, which compile fast
//   CRQ_FAST_SIM  C simulation with native integers for every type
// CRQ_NATIVE_ROM keeps the native ROMs of C simulation with CRQ_HLS: tables of ap types take g++ minutes to compile.
#if defined(__SYNTHESIS__) && !defined(CRQ_HLS)
#define CRQ_HLS
#endif

namespace crq {

// The native unsigned and signed integers that hold BITS bits.
template <int BYTES> struct native;
template <> struct native<1> {
    typedef unsigned char unsigned_t;
    typedef signed char signed_t;
};
template <> struct native<2> {
    typedef unsigned short unsigned_t;
    typedef short signed_t;
};
template <> struct native<4> {
    typedef unsigned int unsigned_t;
    typedef int signed_t;
};
template <> struct native<8> {
    typedef unsigned long long unsigned_t;
    typedef long long signed_t;
};
template <> struct native<16> {
    __extension__ typedef unsigned __int128 unsigned_t;
    __extension__ typedef __int128 signed_t;
};
template <int BITS> struct native_bytes {
    static_assert(BITS >= 1 && BITS <= 64, "a word has 1 to 64 bits");
    static const int value = BITS <= 8 ? 1 : BITS <= 16 ? 2 : BITS <= 32 ? 4 : 8;
};

// Elements of constant tables. A weight word packs the codes of several SIMD lanes, lane 0 in the low bits.
#if defined(CRQ_HLS) && !defined(CRQ_NATIVE_ROM)
template <int BITS> using rom_word = ap_uint<BITS>;
template <int BITS> using rom_int = ap_int<BITS>;
#else
template <int BITS> using rom_word = typename native<native_bytes<BITS>::value>::unsigned_t;
template <int BITS> using rom_int = typename native<native_bytes<BITS>::value>::signed_t;
#endif

// Stands for a table that a layer does not have.
struct no_table {};

// Bits of an index into N things, at least one.
template <unsigned N> struct index_bits {
    static const int value = 1 + (N > 1u << 1) + (N > 1u << 2) + (N > 1u << 3) + (N > 1u << 4) + (N > 1u << 5) +
                             (N > 1u << 6) + (N > 1u << 7) + (N > 1u << 8) + (N > 1u << 9) + (N > 1u << 10) +
                             (N > 1u << 11) + (N > 1u << 12) + (N > 1u << 13) + (N > 1u << 14) + (N > 1u << 15) +
                             (N > 1u << 16) + (N > 1u << 17) + (N > 1u << 18) + (N > 1u << 19) + (N > 1u << 20) +
                             (N > 1u << 21) + (N > 1u << 22) + (N > 1u << 23) + (N > 1u << 24) + (N > 1u << 25) +
                             (N > 1u << 26) + (N > 1u << 27) + (N > 1u << 28) + (N > 1u << 29) + (N > 1u << 30);
};

// What counts to N - 1, and what holds -N to N - 1: of exact width for synthesis, native where C simulates.
#ifdef CRQ_HLS
template <unsigned N> using counter = ap_uint<index_bits<N>::value>;
template <unsigned N> using signed_counter = ap_int<index_bits<N>::value + 1>;
#else
template <unsigned N> using counter = unsigned;
template <unsigned N> using signed_counter = int;
#endif

} // namespace crq

#endif
