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

    void make_room() { // keeps what a trace reads and writes back from growing the queue
        if (head && empty()) {
            items.clear();
            head = 0;
        }
    }

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
    void write(const T &item) {
        make_room();
        items.push_back(item);
    }
    T read() {
        if (empty()) {
            crq_sim::stream_errors()++;
            return T();
        }
        return items[head++];
    }

    // Many items at once, for the fast simulation: the next `count`, where they lie until something is written; and
    // room for `count` more, which the caller fills.
    const T *take(size_t count) {
        if (items.size() - head < count) {
            crq_sim::stream_errors()++;
            items.resize(head + count);
        }
        head += count;
        return items.data() + head - count;
    }
    T *give(size_t count) {
        make_room();
        items.resize(items.size() + count);
        return items.data() + items.size() - count;
    }
};

} // namespace hls

#endif
