#ifndef CRQ_THRESHOLD_H_
#define CRQ_THRESHOLD_H_

#include "crq_types.h"

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

// What becomes of a finished sum of channel fold * pe + lane: a code, or the sum itself if there are no levels.
template <typename CONFIG_T, unsigned LEVELS> struct activation {
    template <class y_T, class x_T, class table_T>
    static y_T apply(const x_T &x, const table_T &table, unsigned fold, unsigned lane) {
        #pragma HLS INLINE
        return y_T(CONFIG_T::code_min + int(count_levels<LEVELS, (LEVELS > 15)>::apply(x, table[fold][lane])));
    }
};
template <typename CONFIG_T> struct activation<CONFIG_T, 0> {
    template <class y_T, class x_T, class table_T>
    static y_T apply(const x_T &x, const table_T &, unsigned, unsigned) {
        #pragma HLS INLINE
        return y_T(x);
    }
};

} // namespace crq

#endif
