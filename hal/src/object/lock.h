// A futex lock: one read-modify-write to take, one to release, parks without long spinning. Also the raw futex wait and
// wake that timelines park on. Knows nothing of what is locked.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "qiao/types.h"

namespace qiao {

inline uint64_t now_ns() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

// The moment `timeout_ns` from now; saturates, so that QIAO_TIMEOUT_INFINITE stays infinite.
inline uint64_t deadline_after(uint64_t timeout_ns) {
    const uint64_t now = now_ns();
    return timeout_ns > UINT64_MAX - now ? UINT64_MAX : now + timeout_ns;
}

// Returns when `word` no longer holds `expected`, when woken, or at the deadline; spurious returns are normal.
inline void futex_wait(std::atomic<uint32_t>& word, uint32_t expected, uint64_t deadline_ns = UINT64_MAX) {
    timespec until{static_cast<time_t>(deadline_ns / 1'000'000'000u), static_cast<long>(deadline_ns % 1'000'000'000u)};
    syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected,
            deadline_ns == UINT64_MAX ? nullptr : &until, nullptr, FUTEX_BITSET_MATCH_ANY);
}

inline void futex_wake(std::atomic<uint32_t>& word, int count = INT32_MAX) {
    syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, nullptr, nullptr, 0);
}

// Of a thread that spins: leaves the core's units to its sibling.
inline void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Bit 0: held. Bit 1: somebody may be parked; set by who parks, and by who was parked when it takes the lock.
class Lock {
public:
    void lock() {
        if (!try_lock()) [[unlikely]] lock_slow();
    }
    // As lock(), but gives up once `given_up`, which is asked every few milliseconds, says so. True if it is held now.
    template <class Predicate>
    bool lock_unless(Predicate&& given_up) {
        for (int spin = 0; spin < 64; ++spin) {
            if ((state_.load(std::memory_order_relaxed) & kHeld) == 0 && try_lock()) return true;
        }
        while ((state_.fetch_or(kHeld | kParked, std::memory_order_acquire) & kHeld) != 0) {
            if (given_up()) return false;
            futex_wait(state_, kHeld | kParked, deadline_after(kAskAgainNs));
        }
        return true;
    }
    bool try_lock() { return (state_.fetch_or(kHeld, std::memory_order_acquire) & kHeld) == 0; }
    void unlock() {
        if (state_.fetch_sub(kHeld, std::memory_order_release) != kHeld) [[unlikely]] wake_one();
    }

private:
    static constexpr uint32_t kHeld = 1, kParked = 2;
    static constexpr uint64_t kAskAgainNs = 5'000'000;

    void lock_slow() {
        for (int spin = 0; spin < 64; ++spin) {
            if ((state_.load(std::memory_order_relaxed) & kHeld) == 0 && try_lock()) return;
        }
        while ((state_.fetch_or(kHeld | kParked, std::memory_order_acquire) & kHeld) != 0) futex_wait(state_, kHeld | kParked);
    }

    // Whoever took the lock meanwhile keeps the bit, and wakes when it unlocks.
    void wake_one() {
        uint32_t expected = kParked;
        if (state_.compare_exchange_strong(expected, 0, std::memory_order_relaxed)) futex_wake(state_, 1);
    }

    std::atomic<uint32_t> state_{0};
};

}  // namespace qiao
