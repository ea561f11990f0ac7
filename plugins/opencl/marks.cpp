// The history of a queue's native events. See marks.h.
#include "marks.h"

#include <sched.h>

namespace qiao::opencl {

// Who must know the history, not only peek at it, waits for the poller of the moment: that is a few driver queries long.
class Marks::Busy {
  public:
    explicit Busy(Marks& marks) : marks_(marks) {
        while (marks_.busy_.exchange(true, std::memory_order_acquire))
            sched_yield();
    }
    ~Busy() { marks_.busy_.store(false, std::memory_order_release); }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

  private:
    Marks& marks_;
};

Marks::Marks(const Symbols& cl, uint32_t capacity, bool stamps)
    : cl_(cl),
      ask_(cl.clGetEventInfo),
      release_(cl.clReleaseEvent),
      mask_(capacity - 1),
      marks_(std::make_unique<Mark[]>(capacity)),
      stamps_(stamps ? capacity : 0) {}

Marks::~Marks() {
    clear();
}

void Marks::keep_stamp(const Mark& mark) {
    cl_ulong start = 0, end = 0;
    if (cl_.clGetEventProfilingInfo(mark.event, CL_PROFILING_COMMAND_START, sizeof start, &start, nullptr) !=
            CL_SUCCESS ||
        cl_.clGetEventProfilingInfo(mark.event, CL_PROFILING_COMMAND_END, sizeof end, &end, nullptr) != CL_SUCCESS)
        end = 0;
    stamps_.keep({mark.value, start, end});
}

void Marks::retire_all() {
    while (retire_first()) {
    }
}

void Marks::make_room() {
    const Busy busy(*this);
    retire_all();
    const uint32_t head = head_.load(std::memory_order_relaxed);
    if (tail_.load(std::memory_order_relaxed) - head <= mask_) return;
    cl_.clReleaseEvent(marks_[head & mask_].event);
    head_.store(head + 1, std::memory_order_release);
}

cl_event Marks::find(uint64_t value) {
    const Busy busy(*this);
    const uint32_t tail = tail_.load(std::memory_order_acquire);
    for (uint32_t i = head_.load(std::memory_order_relaxed); i != tail; ++i) {
        const Mark& mark = marks_[i & mask_];
        if (mark.value < value) continue;
        if (reached() >= value) return nullptr;
        return cl_.clRetainEvent(mark.event) == CL_SUCCESS ? mark.event : nullptr;
    }
    return nullptr;
}

bool Marks::find_stamp(uint64_t value, plugin::Stamp* out) {
    const Busy busy(*this);
    return stamps_.find(value, out);
}

void Marks::clear() {
    const uint32_t tail = tail_.load(std::memory_order_acquire);
    for (uint32_t i = head_.load(std::memory_order_acquire); i != tail; ++i)
        cl_.clReleaseEvent(marks_[i & mask_].event);
    head_.store(tail, std::memory_order_release);
}

} // namespace qiao::opencl
