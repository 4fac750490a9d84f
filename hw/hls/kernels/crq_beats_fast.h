#ifndef CRQ_BEATS_FAST_H_
#define CRQ_BEATS_FAST_H_

#include "crq_types.h"
#include <cstring>

// Fast simulation of what passes beats on: a whole image at once. Beats of any width lie in memory as the channels of
// the pixels, one after the other.

namespace crq {

template <class data_T, class res_T, unsigned VALUES>
void convert_fast(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    std::memcpy(res.give(VALUES / res_T::size), data.take(VALUES / data_T::size), VALUES * sizeof(res_T) / res_T::size);
}

template <class data_T, class res_T, typename CONFIG_T, class op_T>
void pointwise_fast(hls::stream<data_T> &data, hls::stream<res_T> &res, const op_T &op) {
    typedef typename res_T::value_type y_T;
    const unsigned folds = CONFIG_T::channels / CONFIG_T::pe;
    const data_T *x = data.take(CONFIG_T::pixels * folds);
    res_T *y = res.give(CONFIG_T::pixels * folds);
    for (unsigned p = 0; p < CONFIG_T::pixels; p++)
        for (unsigned fold = 0; fold < folds; fold++, x++, y++)
            for (unsigned pe = 0; pe < CONFIG_T::pe; pe++)
                (*y)[pe] = op.template apply<y_T>((*x)[pe], fold, pe);
}

template <class data1_T, class data2_T, class res_T, typename CONFIG_T, class act_T>
void add_fast(hls::stream<data1_T> &data1, hls::stream<data2_T> &data2, hls::stream<res_T> &res, const act_T &act) {
    typedef typename res_T::value_type y_T;
    const unsigned folds = CONFIG_T::channels / CONFIG_T::pe;
    const data1_T *a = data1.take(CONFIG_T::pixels * folds);
    const data2_T *b = data2.take(CONFIG_T::pixels * folds);
    res_T *y = res.give(CONFIG_T::pixels * folds);
    for (unsigned p = 0; p < CONFIG_T::pixels; p++)
        for (unsigned fold = 0; fold < folds; fold++, a++, b++, y++)
            for (unsigned pe = 0; pe < CONFIG_T::pe; pe++)
                (*y)[pe] = act.template apply<y_T>(typename CONFIG_T::sum_t((*a)[pe] + (*b)[pe]), fold, pe);
}

} // namespace crq

#endif
