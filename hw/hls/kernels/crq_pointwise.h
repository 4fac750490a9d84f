#ifndef CRQ_POINTWISE_H_
#define CRQ_POINTWISE_H_

#include "crq_beats.h"
#include "crq_threshold.h"

// Layers that treat every value on its own: PE channels per cycle. Each operation is a struct with
// `apply<y_T>(operand of channel fold * pe + lane, fold, lane)`, as those of crq_threshold.h.

namespace crq {

template <typename CONFIG_T, class table_T> struct bias_op {
    const table_T &values;
    explicit bias_op(const table_T &values) : values(values) {}
    template <class y_T, class x_T> y_T apply(const x_T &x, unsigned fold, unsigned lane) const {
        #pragma HLS INLINE
        return y_T(x + values[CONFIG_T::rows == 1 ? 0u : fold][lane]);
    }
};

template <typename CONFIG_T, class table_T> struct negate_op {
    const table_T &negative;
    explicit negate_op(const table_T &negative) : negative(negative) {}
    template <class y_T, class x_T> y_T apply(const x_T &x, unsigned fold, unsigned lane) const {
        #pragma HLS INLINE
        return negative[CONFIG_T::rows == 1 ? 0u : fold][lane] ? y_T(-x) : y_T(x);
    }
};

template <typename CONFIG_T> struct shift_op {
    template <class y_T, class x_T> y_T apply(const x_T &x, unsigned, unsigned) const {
        #pragma HLS INLINE
        return y_T(y_T(x) << CONFIG_T::shift);
    }
};

// io_stream: a beat of PE channels per cycle.
template <class data_T, class res_T, typename CONFIG_T, class op_T>
void pointwise_stream(hls::stream<data_T> &data, hls::stream<res_T> &res, const op_T &op) {
    #pragma HLS INLINE
#ifdef CRQ_FAST_SIM
    pointwise_fast<data_T, res_T, CONFIG_T>(data, res, op);
#else
    typedef typename res_T::value_type y_T;
    const unsigned folds = CONFIG_T::channels / CONFIG_T::pe;
    counter<folds> fold = 0;
Cycles:
    for (unsigned cycle = 0; cycle < CONFIG_T::pixels * folds; cycle++) {
        #pragma HLS PIPELINE II=1 style=flp
        const data_T x = data.read();
        res_T y;
    Lanes:
        for (unsigned pe = 0; pe < CONFIG_T::pe; pe++) {
            #pragma HLS UNROLL
            y[pe] = op.template apply<y_T>(x[pe], fold, pe);
        }
        res.write(y);
        fold = fold + 1 == folds ? 0u : unsigned(fold + 1);
    }
#endif
}

template <class x_T, class y_T, typename CONFIG_T, class op_T>
void pointwise_parallel(const x_T data[CONFIG_T::pixels * CONFIG_T::channels],
                        y_T res[CONFIG_T::pixels * CONFIG_T::channels], const op_T &op) {
    #pragma HLS INLINE
Pixels:
    for (unsigned p = 0; p < CONFIG_T::pixels; p++) {
        #pragma HLS UNROLL
    Channels:
        for (unsigned c = 0; c < CONFIG_T::channels; c++) {
            #pragma HLS UNROLL
            res[p * CONFIG_T::channels + c] = op.template apply<y_T>(data[p * CONFIG_T::channels + c], 0, c);
        }
    }
}

// The sum of two tensors, and what `act` makes of it: a beat of PE channels per cycle.
template <class data1_T, class data2_T, class res_T, typename CONFIG_T, class act_T>
void add_stream(hls::stream<data1_T> &data1, hls::stream<data2_T> &data2, hls::stream<res_T> &res, const act_T &act) {
    #pragma HLS INLINE
#ifdef CRQ_FAST_SIM
    add_fast<data1_T, data2_T, res_T, CONFIG_T>(data1, data2, res, act);
#else
    typedef typename res_T::value_type y_T;
    typedef typename CONFIG_T::sum_t sum_t;
    const unsigned folds = CONFIG_T::channels / CONFIG_T::pe;
    counter<folds> fold = 0;
Cycles:
    for (unsigned cycle = 0; cycle < CONFIG_T::pixels * folds; cycle++) {
        #pragma HLS PIPELINE II=1 style=flp
        const data1_T a = data1.read();
        const data2_T b = data2.read();
        res_T y;
    Lanes:
        for (unsigned pe = 0; pe < CONFIG_T::pe; pe++) {
            #pragma HLS UNROLL
            y[pe] = act.template apply<y_T>(sum_t(a[pe] + b[pe]), fold, pe);
        }
        res.write(y);
        fold = fold + 1 == folds ? 0u : unsigned(fold + 1);
    }
#endif
}

template <class x1_T, class x2_T, class y_T, typename CONFIG_T, class act_T>
void add_parallel(const x1_T data1[CONFIG_T::pixels * CONFIG_T::channels],
                  const x2_T data2[CONFIG_T::pixels * CONFIG_T::channels],
                  y_T res[CONFIG_T::pixels * CONFIG_T::channels], const act_T &act) {
    #pragma HLS INLINE
    typedef typename CONFIG_T::sum_t sum_t;
Pixels:
    for (unsigned p = 0; p < CONFIG_T::pixels; p++) {
        #pragma HLS UNROLL
    Channels:
        for (unsigned c = 0; c < CONFIG_T::channels; c++) {
            #pragma HLS UNROLL
            const unsigned i = p * CONFIG_T::channels + c;
            res[i] = act.template apply<y_T>(sum_t(data1[i] + data2[i]), 0, c);
        }
    }
}

} // namespace crq

#endif
