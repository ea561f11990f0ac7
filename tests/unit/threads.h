/* What the tests with threads share: a start at the same moment, and knowing that a thread has gone to sleep. */
#pragma once

#include <doctest/doctest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "object/lock.h"

namespace test {

inline constexpr uint64_t kPatienceNs = 30'000'000'000;  // for what must happen; only a defect uses it up

/* Runs `body(index)` on `count` threads that start together. */
inline void on_threads(int count, const std::function<void(int)>& body) {
    std::barrier start(count);
    std::vector<std::thread> threads;
    for (int index = 0; index < count; ++index) {
        threads.emplace_back([&, index] {
            start.arrive_and_wait();
            body(index);
        });
    }
    for (std::thread& thread : threads) thread.join();
}

/* Polls; false if the condition does not come true in time. */
inline bool eventually(const std::function<bool()>& condition) {
    for (const uint64_t deadline = qiao::deadline_after(kPatienceNs); qiao::now_ns() < deadline;) {
        if (condition()) return true;
        std::this_thread::yield();
    }
    return condition();
}

inline long thread_id() {
    return static_cast<long>(syscall(SYS_gettid));
}

/* Another thread is in a blocking system call: 'S' in /proc. */
inline bool thread_sleeps(long id) {
    std::ifstream file("/proc/self/task/" + std::to_string(id) + "/stat");
    std::string stat;
    std::getline(file, stat);
    const size_t name_end = stat.rfind(')');
    return name_end != std::string::npos && name_end + 2 < stat.size() && stat[name_end + 2] == 'S';
}

/* A thread whose id the kernel knows it by can be asked for. */
class ObservedThread {
  public:
    explicit ObservedThread(std::function<void()> body)
        : thread_([this, body = std::move(body)] {
              id_ = thread_id();
              body();
              ended_ = true;
          }) {}
    ~ObservedThread() {
        if (thread_.joinable()) thread_.join();
    }
    ObservedThread(const ObservedThread&) = delete;
    ObservedThread& operator=(const ObservedThread&) = delete;

    void join() { thread_.join(); }
    bool has_ended() const { return ended_; }
    bool sleeps() const { return id_ != 0 && !ended_ && thread_sleeps(id_); }
    bool comes_to_rest() const {
        return eventually([this] { return sleeps(); });
    }

  private:
    std::atomic<long> id_{0};
    std::atomic<bool> ended_{false};
    std::thread thread_;
};

}  // namespace test
