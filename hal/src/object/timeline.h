// A timeline's state: the value reached, how it failed, and the threads parked on it. Who raises it and how a wait asks a
// device is known in dispatch/wait.h.
#pragma once

#include <memory>

#include "object/handle.h"
#include "object/lock.h"

struct qiao_queue;
struct qiao_instance;

namespace qiao {

class SharedTimeline;

struct Timeline {
    explicit Timeline(qiao_instance* owner, qiao_queue* queue, uint64_t initial_value, std::shared_ptr<SharedTimeline> with_others = nullptr)
        : instance(owner), reached(initial_value), source(queue), of_queue(queue != nullptr), shared(std::move(with_others)) {}

    qiao_instance* const instance;
    std::atomic<uint64_t> reached;
    std::atomic<bool> failed{false};
    std::atomic<uint32_t> signallers{0};  // queue operations that will raise it
    std::atomic<uint32_t> epoch{0};   // parked threads wait for it to change
    std::atomic<uint32_t> parked{0};  // how many
    Lock lock;                        // guards what follows
    qiao_queue* source;               // raises it; null once the queue is gone
    const bool of_queue;
    uint64_t highest = UINT64_MAX;    // nobody can raise it above
    ErrorRecord failure;              // valid if failed
    const std::shared_ptr<SharedTimeline> shared;  // where other processes raise it too, and `reached` is what is known of it here; else null
};

}  // namespace qiao

struct alignas(64) qiao_timeline {
    static constexpr uint64_t kTag = qiao::kTagTimeline;
    qiao::Header header;
    union {
        qiao::Timeline body;
    };
    qiao_timeline() {}
    ~qiao_timeline() {}
};

namespace qiao {

// Wakes the parked threads after something they may wait for has changed.
inline void timeline_changed(Timeline& timeline) {
    if (timeline.parked.load(std::memory_order_seq_cst) != 0) [[unlikely]] {
        timeline.epoch.fetch_add(1, std::memory_order_seq_cst);
        futex_wake(timeline.epoch);
    }
}

inline void timeline_advance(Timeline& timeline, uint64_t value) {
    uint64_t reached = timeline.reached.load(std::memory_order_relaxed);
    while (reached < value && !timeline.reached.compare_exchange_weak(reached, value, std::memory_order_seq_cst)) {
    }
    timeline_changed(timeline);
}

// Nobody will raise it above `highest`: waits for more end.
inline void timeline_limit(Timeline& timeline, uint64_t highest) {
    timeline.lock.lock();
    timeline.highest = highest;
    timeline.lock.unlock();
    timeline_changed(timeline);
}

// The first failure stays.
inline void timeline_fail(Timeline& timeline, const ErrorRecord& record) {
    timeline.lock.lock();
    if (!timeline.failed.load(std::memory_order_relaxed)) {
        timeline.failure = record;
        timeline.failed.store(true, std::memory_order_seq_cst);
    }
    timeline.lock.unlock();
    timeline_changed(timeline);
}

// While it exists the thread counts as parked, so that changes after its construction are not missed.
class Parking {
public:
    explicit Parking(Timeline& timeline) : timeline_(timeline) {
        timeline_.parked.fetch_add(1, std::memory_order_seq_cst);
        epoch_ = timeline_.epoch.load(std::memory_order_seq_cst);
    }
    ~Parking() { timeline_.parked.fetch_sub(1, std::memory_order_relaxed); }
    Parking(const Parking&) = delete;
    Parking& operator=(const Parking&) = delete;
    // Blocks until something changed since construction, or the deadline.
    void wait(uint64_t deadline_ns) {
        if (timeline_.epoch.load(std::memory_order_seq_cst) == epoch_) futex_wait(timeline_.epoch, epoch_, deadline_ns);
    }

private:
    Timeline& timeline_;
    uint32_t epoch_;
};

}  // namespace qiao
