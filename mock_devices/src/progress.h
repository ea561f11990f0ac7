/* How far a queue has come: a value that only rises, read by one load; waits with a time limit; and a failure that ends all
 * waits at once. Knows nothing of what raises it. */
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "mock/status.h"

namespace mock {

/* Told once when a value is reached or the queue fails; on the thread that caused it, without a lock held. */
struct Watcher {
    uint64_t value = 0;
    std::shared_ptr<void> keep; /* whoever must live until then */
    void (*fire)(Watcher* watcher, const Status& failure) = nullptr;
    Watcher* next = nullptr;
};

class Progress {
  public:
    uint64_t reached() const noexcept { return reached_.load(std::memory_order_acquire); }
    bool failed() const noexcept { return failed_.load(std::memory_order_seq_cst); }
    /* Ok while not failed. */
    Status failure() const;

    /* One thread at a time. The exchange orders the store before the look at who waits: a waiter announces itself first and
     * looks at the value then, so one of the two sees the other. */
    void reach(uint64_t value) {
        reached_.exchange(value, std::memory_order_seq_cst);
        if (value >= wake_at_.load(std::memory_order_seq_cst)) wake(value);
    }
    /* The first failure stays. */
    void fail(const Status& failure);

    /* Sleeps until the value is reached, the queue has failed, or the deadline (UINT64_MAX = none). */
    WaitResult park(uint64_t value, uint64_t deadline_ns);
    /* `watcher` stays the caller's and must live until it fired, which may be at once, inside this call. */
    void watch(Watcher* watcher);

  private:
    void announce(uint64_t value);
    void wake(uint64_t value);
    static void fire_all(Watcher* list, const Status& failure);

    std::atomic<uint64_t> reached_{0};
    std::atomic<uint64_t> wake_at_{UINT64_MAX}; /* the least value that somebody waits for */
    std::atomic<uint32_t> epoch_{0};            /* what waiters park on */
    std::atomic<bool> failed_{false};
    mutable std::mutex mutex_;
    Watcher* watchers_ = nullptr;
    Status failure_;
};

} // namespace mock
