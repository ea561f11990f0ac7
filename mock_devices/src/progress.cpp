/* The slow half of progress: announcing, parking, waking. */
#include "progress.h"

#include <algorithm>

#include "clock.h"
#include "futex.h"

namespace mock {

Status Progress::failure() const {
    if (!failed()) return {};
    std::lock_guard lock(mutex_);
    return failure_;
}

void Progress::announce(uint64_t value) {
    uint64_t least = wake_at_.load(std::memory_order_relaxed);
    /* Also written when it changes nothing: only a read-modify-write orders it before the caller's look at the value. */
    while (!wake_at_.compare_exchange_weak(least, std::min(least, value), std::memory_order_seq_cst)) {
    }
}

WaitResult Progress::park(uint64_t value, uint64_t deadline_ns) {
    for (;;) {
        const uint32_t epoch = epoch_.load(std::memory_order_acquire);
        announce(value);
        if (reached_.load(std::memory_order_seq_cst) >= value) return WaitResult::kReached;
        if (failed()) return WaitResult::kFailed;
        if (deadline_ns != UINT64_MAX && now_ns() >= deadline_ns) return WaitResult::kTimeout;
        futex_wait(epoch_, epoch, deadline_ns);
    }
}

void Progress::watch(Watcher* watcher) {
    const uint64_t wanted = watcher->value; /* once it is on the list it may fire, and be gone */
    {
        std::lock_guard lock(mutex_);
        watcher->next = watchers_;
        watchers_ = watcher;
    }
    announce(wanted);
    if (failed()) {
        fail({}); /* too late for the sweep of the first failure: sweep again */
    } else if (const uint64_t value = reached_.load(std::memory_order_seq_cst); value >= wanted) {
        wake(value);
    }
}

/* The new bound is stored before the epoch rises: who announced a value that this store overwrites is woken or does not go
 * to sleep, and announces it again. */
void Progress::wake(uint64_t value) {
    Watcher* due = nullptr;
    {
        std::lock_guard lock(mutex_);
        uint64_t least = UINT64_MAX;
        for (Watcher** link = &watchers_; *link != nullptr;) {
            Watcher* watcher = *link;
            if (watcher->value <= value) {
                *link = watcher->next;
                watcher->next = due;
                due = watcher;
            } else {
                least = std::min(least, watcher->value);
                link = &watcher->next;
            }
        }
        wake_at_.store(least, std::memory_order_seq_cst);
        epoch_.fetch_add(1, std::memory_order_release);
    }
    futex_wake(epoch_, INT_MAX);
    fire_all(due, {});
}

void Progress::fail(const Status& failure) {
    Watcher* due = nullptr;
    Status first;
    {
        std::lock_guard lock(mutex_);
        if (!failed_.load(std::memory_order_relaxed)) {
            failure_ = failure;
            failed_.store(true, std::memory_order_seq_cst);
        }
        first = failure_;
        due = std::exchange(watchers_, nullptr);
        epoch_.fetch_add(1, std::memory_order_release);
    }
    futex_wake(epoch_, INT_MAX);
    fire_all(due, first);
}

void Progress::fire_all(Watcher* list, const Status& failure) {
    while (list != nullptr) {
        Watcher* watcher = list;
        list = watcher->next;
        const std::shared_ptr<void> keep = std::move(watcher->keep);
        watcher->fire(watcher, failure);
    }
}

} // namespace mock
