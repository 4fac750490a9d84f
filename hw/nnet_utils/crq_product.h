#ifndef CRQ_PRODUCT_H_
#define CRQ_PRODUCT_H_

#include "crq_types.h"

namespace crq {

// The code of one lane of a weight word.
template <typename CONFIG_T, class word_T> ap_uint<CONFIG_T::weight_bits> code_of(const word_T &word, unsigned lane) {
    #pragma HLS INLINE
    return ap_uint<CONFIG_T::weight_bits>((word >> (CONFIG_T::weight_bits * lane)) & CONFIG_T::weight_mask);
}

// What a weight adds to the accumulator, apart from the accumulator's start value.
template <typename CONFIG_T, bool TERNARY> struct product {
    // 00 = 0, 01 = +1, 11 = -1. -x is computed as ~x; the accumulator starts at the number of negative weights.
    template <class x_T> static ap_int<CONFIG_T::in_bits + 1> apply(const x_T &x, ap_uint<2> code) {
        #pragma HLS INLINE
        typedef ap_int<CONFIG_T::in_bits + 1> term_t;
        const unsigned bits = code;
        const term_t nonzero = -int(bits & 1);
        const term_t negative = -int(bits >> 1);
        return (term_t(x) & nonzero) ^ negative;
    }
};

// Layers that were declared integer, and only they, multiply. The proof of multiplier-free compilation names them and
// leaves this one function without a body.
template <typename CONFIG_T> struct product<CONFIG_T, false> {
    typedef ap_int<CONFIG_T::in_bits + 1 + CONFIG_T::weight_bits> term_t;
    template <class x_T> static term_t apply(const x_T &x, ap_uint<CONFIG_T::weight_bits> code)
#ifdef CRQ_NO_MULTIPLY
        ;
#else
    {
        #pragma HLS INLINE
        const ap_int<CONFIG_T::weight_bits> weight = code;
        return term_t(x * weight);
    }
#endif
};

} // namespace crq

#endif
