#include "waiter.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

namespace qiao::python {
namespace {

/* How long close() may wait for the thread. */
constexpr std::chrono::milliseconds kClosingDelay(20);

} // namespace

Waiter::Waiter(Timeline timeline, uint64_t value)
    : timeline_(std::move(timeline)), value_(value), descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    try {
        thread_ = std::thread(&Waiter::run, this);
    } catch (...) {
        ::close(descriptor_);
        throw;
    }
}

void Waiter::run() {
    try {
        while (!is_closing_.load(std::memory_order_relaxed) && !timeline_.at(value_).wait(kClosingDelay)) {}
    } catch (const Error&) { // who waits asks the point itself, and is told
    }
    static_cast<void>(eventfd_write(descriptor_, 1));
}

void Waiter::close() {
    is_closing_.store(true, std::memory_order_relaxed);
    if (thread_.joinable()) thread_.join();
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

} // namespace qiao::python
