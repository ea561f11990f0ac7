/* Parking on a 32-bit word, as Linux does it. */
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <ctime>

namespace mock {

/* Returns when woken, when the word is not `seen`, at the deadline (of CLOCK_MONOTONIC; UINT64_MAX = none), or for no reason. */
inline void futex_wait(std::atomic<uint32_t>& word, uint32_t seen, uint64_t deadline_ns) {
    timespec deadline;
    deadline.tv_sec = static_cast<time_t>(deadline_ns / 1'000'000'000u);
    deadline.tv_nsec = static_cast<long>(deadline_ns % 1'000'000'000u);
    syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, seen, deadline_ns == UINT64_MAX ? nullptr : &deadline, nullptr,
            FUTEX_BITSET_MATCH_ANY);
}

inline void futex_wake(std::atomic<uint32_t>& word, int count) {
    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

} // namespace mock
