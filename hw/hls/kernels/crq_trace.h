#ifndef CRQ_TRACE_H_
#define CRQ_TRACE_H_

#include "crq_types.h"

// CRQ_TRACE(x, n) hands the n integers of stream or array x, a layer's result, to the simulation that asked for traces
// (-DCRQ_TRACE_LAYERS). It is nothing otherwise, and never part of the hardware.
#if defined(CRQ_TRACE_LAYERS) && !defined(__SYNTHESIS__)

namespace crq {

// Where the next integer goes; null while no trace is wanted.
inline long long *&trace_cursor() {
    static thread_local long long *cursor = nullptr;
    return cursor;
}

template <class T> void trace_value(const T &value) { *trace_cursor()++ = (long long)(value); }

template <class beat_T> void trace(hls::stream<beat_T> &stream, unsigned values) {
    if (!trace_cursor())
        return;
    for (unsigned i = 0; i < values / beat_T::size; i++) {
        const beat_T beat = stream.read();
        for (unsigned c = 0; c < beat_T::size; c++)
            trace_value(beat[c]);
        stream.write(beat);
    }
}

template <class T> void trace(const T *array, unsigned values) {
    if (!trace_cursor())
        return;
    for (unsigned i = 0; i < values; i++)
        trace_value(array[i]);
}

} // namespace crq

#define CRQ_TRACE(x, n) crq::trace(x, n);
#else
#define CRQ_TRACE(x, n)
#endif

#endif
