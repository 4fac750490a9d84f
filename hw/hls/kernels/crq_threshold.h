#ifndef CRQ_THRESHOLD_H_
#define CRQ_THRESHOLD_H_

#include "crq_types.h"

// What becomes of a finished sum x of channel fold * pe + lane: each struct has `apply<y_T>(x, fold, lane)`.

namespace crq {

// code = qmin + #{k : x >= row[k]}, `row` ascending. Up to 15 levels (4 bits): one comparator per level.
template <unsigned LEVELS, bool SEARCH> struct count_levels {
    template <class x_T, class row_T> static unsigned apply(const x_T &x, const row_T &row) {
        #pragma HLS INLINE
        ap_uint<5> count = 0;
    Levels:
        for (unsigned k = 0; k < LEVELS; k++) {
            #pragma HLS UNROLL
            if (x >= row[k])
                count++;
        }
        return count;
    }
};

// Above: binary search, one comparison per bit of the code, pipelined; the table has 2^bits - 1 levels.
template <unsigned LEVELS> struct count_levels<LEVELS, true> {
    template <class x_T, class row_T> static unsigned apply(const x_T &x, const row_T &row) {
        #pragma HLS INLINE
        static_assert((LEVELS & (LEVELS + 1)) == 0, "a searched table has 2^bits - 1 levels");
        ap_uint<16> count = 0;
    Steps:
        for (unsigned step = (LEVELS + 1) / 2; step > 0; step /= 2) {
            #pragma HLS UNROLL
            if (x >= row[count + step - 1])
                count += step;
        }
        return count;
    }
};

// The sum itself.
struct no_codes {
    template <class y_T, class x_T> y_T apply(const x_T &x, unsigned, unsigned) const {
        #pragma HLS INLINE
        return y_T(x);
    }
};

// The number of thresholds that the sum reaches.
template <typename CONFIG_T, class table_T> struct compared {
    const table_T &table;
    explicit compared(const table_T &table) : table(table) {}
    template <class y_T, class x_T> y_T apply(const x_T &x, unsigned fold, unsigned lane) const {
        #pragma HLS INLINE
        typedef count_levels<CONFIG_T::levels, (CONFIG_T::levels > 15)> count_t;
        return y_T(CONFIG_T::code_min + int(count_t::apply(x, table[fold][lane])));
    }
};

// The same, of a table with 2^bits - 1 levels, by one comparison per bit of the code where circuits count.
template <typename CONFIG_T, class table_T> struct searched {
    const table_T &table;
    explicit searched(const table_T &table) : table(table) {}
    template <class y_T, class x_T> y_T apply(const x_T &x, unsigned fold, unsigned lane) const {
        #pragma HLS INLINE
#ifdef CRQ_HLS
        typedef count_levels<CONFIG_T::levels, true> count_t;
#else
        typedef count_levels<CONFIG_T::levels, (CONFIG_T::levels > 15)> count_t;
#endif
        return y_T(CONFIG_T::code_min + int(count_t::apply(x, table[fold][lane])));
    }
};

#ifdef CRQ_HLS
template <int BITS> using wide_int = ap_int<BITS>;
#else
template <int BITS> using wide_int = typename native<(BITS > 64 ? 16 : BITS > 32 ? 8 : 4)>::signed_t;
#endif

// Thresholds ((base + k * slope - e) >> fraction) + 1, k = 1 ...: x reaches number k if k * slope is at most the rest
// x * 2^fraction - base - 1. The code is a quotient, found bit by bit. With half_even e is 1 for even k: the rest is
// one more, and it has to be more than k * slope for odd k, of which the lowest bit alone decides.
// `firsts`: thresholds before them that are always reached.
template <class firsts_T> int first_of(const firsts_T &firsts, unsigned fold, unsigned lane) {
    #pragma HLS INLINE
    return firsts[fold][lane];
}
inline int first_of(const no_table &, unsigned, unsigned) {
    #pragma HLS INLINE
    return 0;
}

template <typename CONFIG_T, class bases_T, class slopes_T, class firsts_T> struct ramp {
    const bases_T &bases;
    const slopes_T &slopes;
    const firsts_T &firsts;
    ramp(const bases_T &bases, const slopes_T &slopes, const firsts_T &firsts)
        : bases(bases), slopes(slopes), firsts(firsts) {}
    template <class y_T, class x_T> y_T apply(const x_T &x, unsigned fold, unsigned lane) const {
        #pragma HLS INLINE
        typedef wide_int<CONFIG_T::rest_bits> rest_t;
        rest_t rest = rest_t(rest_t(x) << CONFIG_T::fraction) - bases[fold][lane] - (CONFIG_T::half_even ? 0 : 1);
        int count = 0;
    Bits:
        for (unsigned bit = CONFIG_T::code_bits; bit > 0; bit--) {
            #pragma HLS UNROLL
            const rest_t part = rest_t(slopes[fold][lane]) << (bit - 1);
            if (CONFIG_T::half_even && bit == 1 ? rest > part : rest >= part) {
                rest -= part;
                count += 1 << (bit - 1);
            }
        }
        count += first_of(firsts, fold, lane);
        if (count < CONFIG_T::least)
            count = CONFIG_T::least;
        if (count > CONFIG_T::most)
            count = CONFIG_T::most;
        return y_T(CONFIG_T::code_min + count);
    }
};

// (x + offset) / 2^shift, rounded half to even and clamped to the codes.
template <typename CONFIG_T> struct rounded {
    template <class y_T, class x_T> y_T apply(const x_T &x, unsigned, unsigned) const {
        #pragma HLS INLINE
        typedef wide_int<CONFIG_T::round_bits> wide_t;
        const unsigned below = CONFIG_T::shift ? CONFIG_T::shift - 1 : 0;
        const wide_t sum = wide_t(x) + CONFIG_T::offset;
        const wide_t odd = (sum >> CONFIG_T::shift) & 1;
        const wide_t up = CONFIG_T::shift ? wide_t(odd + ((1ll << below) - 1)) : wide_t(0);
        const wide_t whole = wide_t(sum + up) >> CONFIG_T::shift;
        if (whole < CONFIG_T::code_min)
            return y_T(CONFIG_T::code_min);
        return whole > CONFIG_T::code_max ? y_T(CONFIG_T::code_max) : y_T(whole);
    }
};

} // namespace crq

#endif
