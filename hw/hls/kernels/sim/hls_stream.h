#ifndef CRQ_SIM_HLS_STREAM_H_
#define CRQ_SIM_HLS_STREAM_H_

#include <cstddef>
#include <vector>

// C simulation: an unbounded first-in first-out queue without names, locks or messages. Reads from an empty queue and
// data that nobody read are counted; the simulation's entry reports them.

namespace crq_sim {
inline unsigned &stream_errors() {
    static thread_local unsigned count = 0;
    return count;
}
} // namespace crq_sim

namespace hls {

template <class T> class stream {
    std::vector<T> items;
    size_t head;

  public:
    stream() : head(0) {}
    explicit stream(const char *) : head(0) {}
    stream(const stream &) = delete;
    stream &operator=(const stream &) = delete;
    ~stream() {
        if (!empty())
            crq_sim::stream_errors()++;
    }

    bool empty() const { return head == items.size(); }
    void write(const T &item) { items.push_back(item); }
    T read() {
        if (empty()) {
            crq_sim::stream_errors()++;
            return T();
        }
        const T item = items[head++];
        if (empty()) { // keeps what a trace reads and writes back from growing the queue
            items.clear();
            head = 0;
        }
        return item;
    }
};

} // namespace hls

#endif
