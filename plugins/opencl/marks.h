// The bounded history of a queue's native events: (value, event) pairs in rising order, made by the submitting thread and
// consumed by whoever polls. Which value gets an event, and when, is queue.cpp's business.
#pragma once

#include <atomic>
#include <memory>

#include "common/stamps.h"
#include "symbols.h"

namespace qiao::opencl {

class Marks {
  public:
    // `capacity` is a power of two. With `stamps`, the times of as many reached marks are kept. Throws std::bad_alloc.
    Marks(const Symbols& cl, uint32_t capacity, bool stamps);
    ~Marks();
    Marks(const Marks&) = delete;
    Marks& operator=(const Marks&) = delete;

    // Takes the event over. One thread at a time. A full history forgets its oldest mark: who waits for that then waits
    // for the next.
    void push(uint64_t value, cl_event event) {
        const uint32_t tail = tail_.load(std::memory_order_relaxed);
        if (tail - head_.load(std::memory_order_acquire) > mask_) [[unlikely]]
            make_room();
        marks_[tail & mask_] = {value, event};
        tail_.store(tail + 1, std::memory_order_release);
    }

    // Advances over ended events. Any thread; the loser of a race only reads what the winner has found so far.
    void poll() {
        if (busy_.exchange(true, std::memory_order_acquire)) return;
        retire_all();
        busy_.store(false, std::memory_order_release);
    }

    // The same for one event at most: enough where there is one, and somebody waits for it.
    [[gnu::always_inline]] void poll_first() {
        if (busy_.exchange(true, std::memory_order_acquire)) return;
        retire_first();
        busy_.store(false, std::memory_order_release);
    }

    uint64_t reached() const { return reached_.load(std::memory_order_acquire); }

    // The first error an event ended with, or CL_SUCCESS.
    cl_int failure() const { return failure_.load(std::memory_order_acquire); }

    // The event of the earliest mark at or above `value`, to be released by the caller; null if that is reached already.
    cl_event find(uint64_t value);

    // True if the times of that value are still known.
    bool find_stamp(uint64_t value, plugin::Stamp* out);

    // Releases all events without asking them anything; the queue's work has ended, or its device is lost.
    void clear();

  private:
    struct Mark {
        uint64_t value;
        cl_event event;
    };
    class Busy;

    // Forgets the oldest mark if its event has ended; false if not, or if there is none. busy_ is held.
    [[gnu::always_inline]] bool retire_first() {
        const uint32_t head = head_.load(std::memory_order_relaxed);
        if (head == tail_.load(std::memory_order_acquire)) return false;
        const Mark& mark = marks_[head & mask_];
        cl_int state;
        const cl_int code = ask_(mark.event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, nullptr);
        if (code != CL_SUCCESS || state != CL_COMPLETE) [[unlikely]] {
            not_ended(code != CL_SUCCESS ? code : state);
            return false;
        }
        if (stamps_.are_kept()) [[unlikely]]
            keep_stamp(mark);
        release_(mark.event);
        reached_.store(mark.value, std::memory_order_release);
        head_.store(head + 1, std::memory_order_release);
        return true;
    }
    void retire_all();
    void not_ended(cl_int code) {
        // For good: the queue has failed, its events stay until it is destroyed.
        if (code < CL_COMPLETE && failure() == CL_SUCCESS) failure_.store(code, std::memory_order_release);
    }
    void keep_stamp(const Mark& mark);
    void make_room();

    const Symbols& cl_;
    const decltype(&::clGetEventInfo) ask_;
    const decltype(&::clReleaseEvent) release_;
    const uint32_t mask_;
    std::unique_ptr<Mark[]> marks_;
    plugin::Stamps stamps_; // guarded by busy_
    alignas(64) std::atomic<uint32_t> tail_{0};
    alignas(64) std::atomic<uint32_t> head_{0};
    std::atomic<bool> busy_{false};
    std::atomic<cl_int> failure_{CL_SUCCESS};
    std::atomic<uint64_t> reached_{0};
};

} // namespace qiao::opencl
