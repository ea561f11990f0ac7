/* Queues of a card: operations run in order, each raises the queue's value when it has ended. Short work is run by whoever
 * submits or waits for it, the rest by the engine's workers; nothing is ever left to a waiter.
 *
 * One thread at a time may submit to a queue; reached, wait, notify and times may be called at any time from any thread. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "mock/kernel.h"
#include "mock/status.h"

namespace mock {

class Card;
class Memory;
class QueueCore;

/* Of a launch, in work-groups and work-items; unused dimensions are 1, unused offsets 0. */
struct Shape {
    uint32_t group_count[3] = {1, 1, 1};
    uint32_t group_size[3] = {1, 1, 1};
    uint32_t global_offset[3] = {0, 0, 0};
    uint32_t dimensions = 1;
};

/* A byte of a card's memory, or (card null) of the host's. */
struct Place {
    Card* card = nullptr;
    uint64_t address = 0;
};

/* Slices of rows of `size`; the pitches count only for more than one row, or slice. */
struct Copy {
    Place source;
    Place target;
    uint64_t size = 0;
    uint64_t rows = 1;
    uint64_t source_pitch = 0;
    uint64_t target_pitch = 0;
    uint64_t slices = 1;
    uint64_t source_slice_pitch = 0;
    uint64_t target_slice_pitch = 0;
};

struct Fill {
    Place target;
    uint64_t size = 0;
    uint8_t pattern[16] = {};
    uint32_t pattern_size = 1; /* 1, 2, 4, 8 or 16; divides `size` */
};

struct QueueOptions {
    bool profiling = false;
    uint32_t priority = 0; /* 0 or 1; higher is taken first by free workers */
};

/* Of one operation, in nanoseconds of the card's clock. */
struct Times {
    uint64_t start_ns = 0;
    uint64_t end_ns = 0;
};

class Queue {
  public:
    explicit Queue(std::shared_ptr<QueueCore> core);
    /* What has not started is dropped; what runs is waited for, unless the card is lost. */
    ~Queue();
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;

    /* Values must rise. What is refused has no effect; its value may be used again. The block is read before launch returns;
     * kernel and host memory must live until the value is reached. */
    Status launch(const Kernel& kernel, const Shape& shape, const void* block, uint64_t value);
    Status copy(const Copy& copy, uint64_t value);
    Status fill(const Fill& fill, uint64_t value);
    /* Later operations start when the other queue, also one of another card, has reached a value it has been given. */
    Status after(const Queue& other, uint64_t other_value, uint64_t value);
    /* An operation that never ends: neither do those behind it. */
    Status stall(uint64_t value);

    /* With a virtual clock the question costs virtual time while something is pending. */
    uint64_t reached() const noexcept;
    uint64_t submitted() const noexcept;
    /* Ok, or why the queue does nothing any more: the card is lost, or a queue it waited for failed. */
    Status failure() const;
    bool failed() const noexcept;

    /* Runs short work itself meanwhile. A time limit of 0 asks, UINT64_MAX is none. */
    WaitResult wait(uint64_t value, uint64_t timeout_ns);
    /* Once, when the value is reached (ok) or the queue fails; at once where that has happened. From any thread. */
    void notify(uint64_t value, std::function<void(const Status&)> told);
    /* Of a reached operation of a profiling queue; the last kKeptTimes operations are kept. */
    static constexpr size_t kKeptTimes = 16384;
    Result<Times> times(uint64_t value) const;

  private:
    Memory* memory_of(const Place& place);

    std::shared_ptr<QueueCore> core_;
};

} // namespace mock
