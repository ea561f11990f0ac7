/* Timelines and points on them: how one knows that work has ended, and how queues wait for each other. */
#ifndef QIAO_HPP_TIMELINE_HPP
#define QIAO_HPP_TIMELINE_HPP

#include <chrono>
#include <cstdint>

#include "qiao/hpp/device.hpp"
#include "qiao/hpp/instance.hpp"
#include "qiao/hpp/owner.hpp"
#include "qiao/hpp/share.hpp"
#include "qiao/timeline.h"

namespace qiao {
inline namespace v0 {

/// A value of a timeline: the moment when a queue's operation has ended. Two words, copied freely; it borrows the timeline,
/// and after its queue (or Timeline) is gone every question fails with INVALID_HANDLE.
class Point {
  public:
    Point() noexcept = default;
    Point(qiao_timeline* timeline, uint64_t value) noexcept : timeline_(timeline), value_(value) {}

    qiao_timeline* timeline() const noexcept { return timeline_; }
    uint64_t value() const noexcept { return value_; }

    /// Never blocks. Throws the error with which the work failed.
    [[nodiscard]] bool reached() const { return detail::has_ended(qiao_timeline_reached(timeline_, value_)); }
    /// Blocks until it is reached; throws the error with which the work failed or was lost. A point that nobody has
    /// submitted yet may be waited for.
    void wait() const { check(qiao_timeline_wait(timeline_, value_, QIAO_TIMEOUT_INFINITE)); }
    /// False if the time was over first, which is no error: the work goes on.
    [[nodiscard]] bool wait(std::chrono::nanoseconds timeout) const {
        return detail::has_ended(qiao_timeline_wait(timeline_, value_, detail::timeout_of(timeout)));
    }

  private:
    qiao_timeline* timeline_ = nullptr;
    uint64_t value_ = 0;
};

/// A counter that only rises. One that is created here is raised by signal() or by queues of any device; that of a queue
/// (Queue::timeline) only by the queue.
class Timeline : public Owner<qiao_timeline, qiao_timeline_retain, qiao_timeline_release> {
  public:
    Timeline() noexcept = default;
    explicit Timeline(const Instance& instance, uint64_t initial_value = 0) : Owner(create(instance, initial_value)) {}
    /// Takes over the caller's reference.
    static Timeline adopt(qiao_timeline* owned) noexcept { return Timeline(owned); }

    /// One that other processes may have too: they raise it and wait for it like this one.
    static Timeline shareable(const Instance& instance, uint64_t initial_value = 0) {
        qiao_timeline* made = nullptr;
        check(qiao_timeline_create_shareable(instance.get(), initial_value, &made));
        return Timeline(made);
    }
    /// One of another process. The descriptor stays the caller's.
    static Timeline import_handle(const Instance& instance, const ExportedHandle& exported) {
        qiao_timeline* made = nullptr;
        check(qiao_timeline_import(instance.get(), &exported.handle, exported.descriptor, &made));
        return Timeline(made);
    }
    /// For another process; the caller closes the descriptor. Only of a shareable one.
    ExportedHandle export_handle() const {
        ExportedHandle exported;
        check(qiao_timeline_export(get(), &exported.handle, &exported.descriptor));
        return exported;
    }

    Timeline share() const { return Timeline(retained()); }

    Point at(uint64_t value) const noexcept { return {get(), value}; }
    /// What is reached now; asks the device if need be.
    uint64_t value() const {
        uint64_t value = 0;
        check(qiao_timeline_query_value(get(), &value));
        return value;
    }
    /// Raises it. OUT_OF_RANGE if `value` is not above the present one.
    void signal(uint64_t value) { check(qiao_timeline_signal(get(), value)); }

  private:
    explicit Timeline(qiao_timeline* owned) noexcept : Owner(owned) {}
    static qiao_timeline* create(const Instance& instance, uint64_t initial_value) {
        qiao_timeline* made = nullptr;
        check(qiao_timeline_create(instance.get(), initial_value, &made));
        return made;
    }
};

} // namespace v0
} // namespace qiao

#endif
