#include "wait.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "errors.h"

namespace qiao::python {
namespace {

using Clock = std::chrono::steady_clock;

/* How long a signal may go unnoticed: they do not wake the core. */
constexpr std::chrono::milliseconds kSlice(20);
/* Beyond this a time-out is none: 30 years, which still fits the clock. */
constexpr double kLongestSeconds = 1e9;

template <class Wait>
bool wait_in_slices(Timeout timeout, Wait wait) {
    if (timeout && std::isnan(*timeout)) raise_value_error("the timeout is not a number; give seconds, or None to wait for ever");
    const auto limit = std::chrono::duration<double>(std::clamp(timeout.value_or(kLongestSeconds), 0.0, kLongestSeconds));
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(limit);
    for (;;) {
        const auto left = std::max(Clock::duration::zero(), end - Clock::now());
        {
            const py::gil_scoped_release others;
            if (wait(std::min<Clock::duration>(left, kSlice))) return true;
        }
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
        if (left <= kSlice && Clock::now() >= end) return false;
    }
}

} // namespace

bool wait_until(const Timeline& timeline, uint64_t value, Timeout timeout) {
    const Point point = timeline.at(value);
    return wait_in_slices(timeout, [&](Clock::duration slice) { return point.wait(slice); });
}

bool wait_for_device(Device device, Timeout timeout) {
    return wait_in_slices(timeout, [&](Clock::duration slice) { return device.synchronize(slice); });
}

} // namespace qiao::python
