#ifndef CRQ_SIM_AP_AXI_SDATA_H_
#define CRQ_SIM_AP_AXI_SDATA_H_

#include "ap_int.h"

// C simulation with g++: the part of Vitis HLS's header that an AXI4-Stream without side channels uses.
template <int D, int U, int TI, int TD> struct ap_axiu {
    ap_uint<D> data;
    ap_uint<(D + 7) / 8> keep;
    ap_uint<(D + 7) / 8> strb;
    ap_uint<1> last;
};

#endif
