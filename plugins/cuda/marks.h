// The bounded history of a queue's marks: (value, event) pairs in rising order, made by the submitting thread and consumed by whoever
// polls. Events belong to their places in the history and are used again. Which value gets one, and when, is queue.cpp's business.
#pragma once

#include <atomic>
#include <memory>

#include "common/stamps.h"
#include "device.h"

namespace qiao::cuda {

class Marks {
  public:
    // `capacity` is a power of two. With `stamps`, operations are measured, and the times of as many reached marks are kept.
    Marks(Device& device, uint32_t capacity, bool stamps);
    // clear() was called.
    ~Marks() = default;
    Marks(const Marks&) = delete;
    Marks& operator=(const Marks&) = delete;

    // The submitting thread, with the device's context: records the start of an operation that is going to be measured.
    Code start(void* stream);
    // The same: records the end of all that was submitted, under that value. A full history forgets its oldest mark: who waits for
    // that then waits for the next.
    Code push(uint64_t value, void* stream);

    // Advances over reached events. Any thread with the device's context; the loser of a race only reads what the winner has found so far.
    void poll() {
        if (busy_.exchange(true, std::memory_order_acquire)) return;
        while (retire_first()) {
        }
        busy_.store(false, std::memory_order_release);
    }

    uint64_t reached() const { return reached_.load(std::memory_order_acquire); }

    // The first code that an event failed with, or success.
    Code failure() const { return failure_.load(std::memory_order_acquire); }

    // Makes `stream` wait for the earliest mark at or above `value`, unless that is reached already.
    Code make_wait(void* stream, uint64_t value);

    // True if the times of that value are still known.
    bool find_stamp(uint64_t value, plugin::Stamp* out);

    // Measured times are counted from this moment on; takes its event over.
    void set_anchor(Moment anchor) { anchor_ = anchor; }

    // Destroys all events: the queue's work has ended. On a lost device they are left to it.
    void clear();

  private:
    struct Mark {
        uint64_t value = 0;
        void* event = nullptr;
        void* start = nullptr;
    };
    class Busy;

    bool retire_first();
    void keep_stamp(Mark& mark);
    void make_room();
    Code ready(void*& event);

    Device& device_;
    const Driver& driver_;
    const uint32_t mask_;
    std::unique_ptr<Mark[]> marks_;
    plugin::Stamps stamps_; // guarded by busy_, as the next
    Moment anchor_;
    alignas(64) std::atomic<uint32_t> tail_{0};
    alignas(64) std::atomic<uint32_t> head_{0};
    std::atomic<bool> busy_{false};
    std::atomic<Code> failure_;
    std::atomic<uint64_t> reached_{0};
};

} // namespace qiao::cuda
