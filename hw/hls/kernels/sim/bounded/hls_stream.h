#ifndef CRQ_SIM_BOUNDED_HLS_STREAM_H_
#define CRQ_SIM_BOUNDED_HLS_STREAM_H_

#include <condition_variable>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

// FIFO simulation: queues of the depth that hardware has, one thread per process. Writing to a full queue waits, reading
// from an empty one waits; when every process waits, the design has deadlocked: the program prints the queues and exits
// with code 3.

namespace crq_sim {

struct queue_state {
    std::string name;
    size_t depth, used, most;
    bool reader_waits, writer_waits;
};

struct scheduler {
    std::mutex mutex;
    unsigned running; // processes that neither wait nor have ended
    std::vector<const queue_state *> queues;
    scheduler() : running(0) {}

    void wait_or_deadlock() {
        if (--running)
            return;
        for (const queue_state *q : queues)
            if (q->reader_waits || q->writer_waits)
                std::printf("deadlock %s depth %zu used %zu %s\n", q->name.c_str(), q->depth, q->used,
                            q->writer_waits ? "full" : "empty");
        std::fflush(stdout);
        std::_Exit(3);
    }
};
inline scheduler &the_scheduler() {
    static scheduler instance;
    return instance;
}

} // namespace crq_sim

namespace hls {

template <class T> class stream {
    std::deque<T> items;
    std::condition_variable changed;
    crq_sim::queue_state state;

  public:
    stream(const char *name, size_t depth) : state{name, depth, 0, 0, false, false} {
        crq_sim::the_scheduler().queues.push_back(&state);
    }
    stream(const stream &) = delete;
    stream &operator=(const stream &) = delete;

    size_t most() const { return state.most; }

    void write(const T &item) {
        crq_sim::scheduler &s = crq_sim::the_scheduler();
        std::unique_lock<std::mutex> lock(s.mutex);
        if (items.size() >= state.depth) {
            state.writer_waits = true;
            s.wait_or_deadlock();
            changed.wait(lock, [this] { return !state.writer_waits; });
        }
        items.push_back(item);
        state.used = items.size();
        if (state.used > state.most)
            state.most = state.used;
        if (state.reader_waits) { // counted as running from now on, before it wakes
            state.reader_waits = false;
            s.running++;
            changed.notify_all();
        }
    }

    T read() {
        crq_sim::scheduler &s = crq_sim::the_scheduler();
        std::unique_lock<std::mutex> lock(s.mutex);
        if (items.empty()) {
            state.reader_waits = true;
            s.wait_or_deadlock();
            changed.wait(lock, [this] { return !state.reader_waits; });
        }
        const T item = items.front();
        items.pop_front();
        state.used = items.size();
        if (state.writer_waits) {
            state.writer_waits = false;
            s.running++;
            changed.notify_all();
        }
        return item;
    }
};

} // namespace hls

#endif
