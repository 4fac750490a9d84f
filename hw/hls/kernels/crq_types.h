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

} // namespace crq

#endif
