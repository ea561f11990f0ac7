// See marks.h.
#include "marks.h"

#include <sched.h>

#include <algorithm>

namespace qiao::cuda {

// Who must know the history, not only peek at it, waits for the poller of the moment: that is a few queries long.
class Marks::Busy {
  public:
    explicit Busy(Marks& marks) : marks_(marks) {
        while (marks_.busy_.exchange(true, std::memory_order_acquire)) sched_yield();
    }
    ~Busy() { marks_.busy_.store(false, std::memory_order_release); }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

  private:
    Marks& marks_;
};

Marks::Marks(Device& device, uint32_t capacity, bool stamps)
    : device_(device),
      driver_(*device.driver),
      mask_(capacity - 1),
      marks_(std::make_unique<Mark[]>(capacity)),
      stamps_(stamps ? capacity : 0),
      failure_(device.driver->family().results.success) {}

Code Marks::ready(void*& event) {
    if (event != nullptr) return driver_.family().results.success;
    return driver_.call().event_create(&event, stamps_.are_kept() ? 0 : kEventWithoutTime);
}

Code Marks::start(void* stream) {
    const uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) > mask_) make_room();
    Mark& mark = marks_[tail & mask_];
    const Code code = ready(mark.start);
    return driver_.ok(code) ? driver_.call().event_record(mark.start, stream) : code;
}

Code Marks::push(uint64_t value, void* stream) {
    const uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) > mask_) [[unlikely]]
        make_room();
    Mark& mark = marks_[tail & mask_];
    Code code = ready(mark.event);
    if (!driver_.ok(code) || !driver_.ok(code = driver_.call().event_record(mark.event, stream))) [[unlikely]]
        return code;
    mark.value = value;
    tail_.store(tail + 1, std::memory_order_release);
    return code;
}

bool Marks::retire_first() {
    const uint32_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return false;
    Mark& mark = marks_[head & mask_];
    const Code code = driver_.call().event_query(mark.event);
    if (!driver_.ok(code)) {
        // For good: the queue has failed, its marks stay until it is destroyed.
        if (!driver_.not_ready(code) && driver_.ok(failure())) failure_.store(code, std::memory_order_release);
        return false;
    }
    if (stamps_.are_kept()) [[unlikely]]
        keep_stamp(mark);
    reached_.store(mark.value, std::memory_order_release);
    head_.store(head + 1, std::memory_order_release);
    return true;
}

// Times are floats in milliseconds, so each is measured from the mark before it: small numbers keep their digits.
void Marks::keep_stamp(Mark& mark) {
    const auto elapsed = driver_.call().event_elapsed;
    float idle = 0, busy = 0;
    plugin::Stamp stamp = {mark.value, 0, 0};
    if (elapsed != nullptr && anchor_.event != nullptr && mark.start != nullptr && driver_.ok(elapsed(&idle, anchor_.event, mark.start)) &&
        driver_.ok(elapsed(&busy, mark.start, mark.event))) {
        const double start = anchor_.ns + std::max(0.0, static_cast<double>(idle)) * 1e6, end = start + std::max(0.0, static_cast<double>(busy)) * 1e6;
        stamp.start_ns = static_cast<uint64_t>(start);
        stamp.end_ns = std::max<uint64_t>(static_cast<uint64_t>(end), 1);
        anchor_.ns = end;
        std::swap(anchor_.event, mark.event);
    }
    stamps_.keep(stamp);
}

void Marks::make_room() {
    const Busy busy(*this);
    while (retire_first()) {
    }
    const uint32_t head = head_.load(std::memory_order_relaxed);
    if (tail_.load(std::memory_order_relaxed) - head > mask_) head_.store(head + 1, std::memory_order_release);
}

Code Marks::make_wait(void* stream, uint64_t value) {
    const Busy busy(*this);
    const uint32_t tail = tail_.load(std::memory_order_acquire);
    for (uint32_t i = head_.load(std::memory_order_relaxed); i != tail; ++i) {
        const Mark& mark = marks_[i & mask_];
        if (mark.value < value) continue;
        if (reached() >= value) break;
        return driver_.call().stream_wait(stream, mark.event, 0);
    }
    return driver_.family().results.success;
}

bool Marks::find_stamp(uint64_t value, plugin::Stamp* out) {
    const Busy busy(*this);
    return stamps_.find(value, out);
}

void Marks::clear() {
    const Busy busy(*this);
    if (device_.lost.load()) return;
    const auto destroy = [&](void*& event) {
        if (event != nullptr) driver_.call().event_destroy(event);
        event = nullptr;
    };
    for (uint32_t i = 0; i <= mask_; ++i) {
        destroy(marks_[i].event);
        destroy(marks_[i].start);
    }
    destroy(anchor_.event);
}

} // namespace qiao::cuda
