#include "dispatch/shared_wait.h"

#include <algorithm>
#include <cinttypes>
#include <thread>

#include "dispatch/wait.h"
#include "share/shared_timeline.h"

namespace qiao {
namespace {

// How long a wait may overlook that a process which has the timeline has ended.
constexpr uint64_t kSliceNs = 50'000'000;
// The other process answers in less time than it takes to sleep and to be woken.
constexpr uint64_t kSpinNs = 20'000;

// Only where the other process can run meanwhile.
void spin(const Timeline& timeline, uint64_t value, uint64_t deadline_ns) {
    static const bool has_processors = std::thread::hardware_concurrency() > 1;
    const uint64_t until = has_processors ? std::min(deadline_ns, now_ns() + kSpinNs) : 0;
    while (timeline.shared->value() < value && now_ns() < until) {
        for (int i = 0; i < 16 && timeline.shared->value() < value; ++i) relax();
    }
}

qiao_status fail_not_above(uint64_t value, uint64_t present) {
    return fail(QIAO_ERROR_OUT_OF_RANGE, "value %" PRIu64 " is not above the timeline's present value %" PRIu64, value, present);
}

// Raises what is known here; false, and the value in the way, if it is not below.
bool raise_here(Timeline& timeline, uint64_t value, uint64_t& present) {
    present = timeline.reached.load(std::memory_order_relaxed);
    do {
        if (value <= present) return false;
    } while (!timeline.reached.compare_exchange_weak(present, value, std::memory_order_seq_cst));
    timeline_changed(timeline);
    return true;
}

}  // namespace

void learn_from_others(Timeline& timeline, uint64_t value) {
    timeline_advance(timeline, timeline.shared->value());
    if (timeline.reached.load(std::memory_order_acquire) >= value || timeline.failed.load(std::memory_order_acquire)) return;
    const std::string trouble = timeline.shared->trouble();
    if (trouble.empty()) return;
    timeline_advance(timeline, timeline.shared->value());  // what was raised before the end counts
    ErrorRecord record;
    record.status = QIAO_ERROR_CANCELLED;
    record.message = "the shared timeline has failed at value " + std::to_string(timeline.reached.load()) + ": " + trouble;
    record.remedy = "release it, and start again with a new one; memory that was shared stays usable";
    timeline_fail(timeline, record);
}

qiao_status wait_for_others(qiao_timeline* handle, uint64_t value, uint64_t timeout_ns) {
    const Timeline& timeline = handle->body;
    const uint64_t deadline_ns = deadline_after(timeout_ns);
    spin(timeline, value, deadline_ns);
    for (;;) {
        const uint32_t ticket = timeline.shared->ticket();
        const qiao_status status = timeline_poll(handle, value);
        if (status < 0) return timeline_report_failure(handle, value);
        if (status == QIAO_OK) return QIAO_OK;
        const uint64_t now = now_ns();
        if (now >= deadline_ns) return QIAO_TIMEOUT;
        timeline.shared->park(ticket, std::min(deadline_ns, now + kSliceNs));
    }
}

qiao_status timeline_raise(Timeline& timeline, uint64_t value) {
    uint64_t present = 0;
    if (timeline.shared == nullptr) return raise_here(timeline, value, present) ? QIAO_OK : fail_not_above(value, present);
    present = timeline.reached.load();  // what has fallen meanwhile is not raised again
    if (value <= present || !timeline.shared->raise(value, present)) return fail_not_above(value, present);
    timeline_advance(timeline, value);
    return QIAO_OK;
}

void timeline_raise_by_work(Timeline& timeline, uint64_t value) {
    uint64_t present = 0;
    if (timeline.shared != nullptr) timeline.shared->raise(value, present);
    timeline_advance(timeline, value);
}

void timeline_fail_for_all(Timeline& timeline, const ErrorRecord& record) {
    timeline_fail(timeline, record);
    if (timeline.shared != nullptr) timeline.shared->fail();
}

}  // namespace qiao
