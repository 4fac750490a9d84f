#ifndef CRQ_SIM_FAST_AP_INT_H_
#define CRQ_SIM_FAST_AP_INT_H_

// Fast simulation: native integers in place of ap_int and ap_uint. Every tensor's type holds its whole proven range, so
// the values are the same; kernels that must show the effect of an exact width (accumulators) wrap explicitly.

namespace crq_fast {
template <int BYTES> struct holder;
template <> struct holder<1> {
    typedef unsigned char u;
    typedef signed char s;
};
template <> struct holder<2> {
    typedef unsigned short u;
    typedef short s;
};
template <> struct holder<4> {
    typedef unsigned int u;
    typedef int s;
};
template <> struct holder<8> {
    typedef unsigned long long u;
    typedef long long s;
};
template <int BITS> struct bytes {
    static_assert(BITS >= 1 && BITS <= 64, "fast simulation holds integers of 1 to 64 bits");
    static const int value = BITS <= 8 ? 1 : BITS <= 16 ? 2 : BITS <= 32 ? 4 : 8;
};
} // namespace crq_fast

template <int BITS> using ap_uint = typename crq_fast::holder<crq_fast::bytes<BITS>::value>::u;
template <int BITS> using ap_int = typename crq_fast::holder<crq_fast::bytes<BITS>::value>::s;

#endif
