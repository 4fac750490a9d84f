#ifndef CRQ_PRODUCT_H_
#define CRQ_PRODUCT_H_

#include "crq_types.h"

namespace crq {

// The code of one lane of a weight word.
template <typename CONFIG_T, class word_T> unsigned code_of(const word_T &word, unsigned lane) {
    #pragma HLS INLINE
    return unsigned((word >> (CONFIG_T::weight_bits * lane)) & CONFIG_T::weight_mask);
}

// A product, and the sum of the products of one cycle. Synthesis sees their exact widths; C simulation adds native
// integers, which hold both, and keeps the ap types wherever there is a register: streams, windows, accumulators.
template <typename CONFIG_T> struct product_types {
#ifdef CRQ_HLS
    typedef ap_int<CONFIG_T::in_bits + CONFIG_T::weight_bits> term_t;
    typedef ap_int<CONFIG_T::partial_bits> partial_t;
#else
    typedef typename native<(CONFIG_T::partial_bits > 32 ? 8 : 4)>::signed_t term_t;
    typedef term_t partial_t;
#endif
};

// What a product reads: in C simulation a word is widened once, not by every lane.
template <class x_T, typename CONFIG_T> struct operand {
#ifdef CRQ_HLS
    typedef x_T type;
#else
    typedef typename product_types<CONFIG_T>::term_t type;
#endif
};

// What a weight adds to the accumulator, apart from the accumulator's start value.
template <typename CONFIG_T, bool TERNARY> struct product {
    typedef typename product_types<CONFIG_T>::term_t term_t;
    // 00 = 0, 01 = +1, 11 = -1. -x is computed as ~x; the accumulator starts at the number of negative weights.
    template <class x_T> static term_t apply(const x_T &x, unsigned code) {
        #pragma HLS INLINE
        const term_t nonzero = -int(code & 1);
        const term_t negative = -int(code >> 1);
        return (term_t(x) & nonzero) ^ negative;
    }
};

// Layers that were declared integer, and only they, multiply: in LUTs, which without the pragma is for the synthesis
// tool to decide. The proof of multiplier-free compilation names them and leaves this one function without a body.
template <typename CONFIG_T> struct product<CONFIG_T, false> {
    typedef typename product_types<CONFIG_T>::term_t term_t;
    template <class x_T> static term_t apply(const x_T &x, unsigned code)
#ifdef CRQ_NO_MULTIPLY
        ;
#else
    {
        #pragma HLS INLINE
        const ap_int<CONFIG_T::weight_bits> weight = code;
        term_t result;
        #pragma HLS BIND_OP variable=result op=mul impl=fabric
        result = term_t(x * weight);
        return result;
    }
#endif
};

} // namespace crq

#endif
