/* Host functions in a queue: they are kept until they have been called, and what they throw never enters the C core. */
#ifndef QIAO_HPP_CALL_HPP
#define QIAO_HPP_CALL_HPP

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include "qiao/hpp/timeline.hpp"
#include "qiao/queue.h"

namespace qiao {
inline namespace v0 {

namespace detail {

/// What a host function threw, shared by it and those who wait.
class Outcome {
  public:
    void set(std::exception_ptr thrown) noexcept {
        thrown_ = std::move(thrown);
        is_set_.store(true, std::memory_order_release);
    }
    void rethrow() const {
        if (is_set_.load(std::memory_order_acquire)) std::rethrow_exception(thrown_);
    }

  private:
    std::exception_ptr thrown_;
    std::atomic<bool> is_set_{false};
};

/// Nothing to remember: the function cannot throw.
struct NoOutcome {};

/// A function on its way through a queue; run() is the last owner.
template <class Function>
class Callee {
    static_assert(std::is_invocable_v<Function&, qiao_status>,
                  "a host function takes the status with which the work before it ended");
    static constexpr bool kThrows = !std::is_nothrow_invocable_v<Function&, qiao_status>;

  public:
    using SharedOutcome = std::conditional_t<kThrows, std::shared_ptr<Outcome>, NoOutcome>;

    template <class Given>
    explicit Callee(Given&& function) : function_(std::forward<Given>(function)) {
        if constexpr (kThrows) outcome_ = std::make_shared<Outcome>();
    }
    SharedOutcome outcome() const noexcept { return outcome_; }

    static void run(void* user, qiao_status status) noexcept {
        const std::unique_ptr<Callee> self(static_cast<Callee*>(user));
        if constexpr (kThrows) {
            try {
                static_cast<void>(self->function_(status));
            } catch (...) {
                self->outcome_->set(std::current_exception());
            }
        } else {
            static_cast<void>(self->function_(status));
        }
    }

  private:
    Function function_;
    SharedOutcome outcome_;
};

} // namespace detail

/// The point of a host function that may throw. Somebody should wait for it here: a Point knows of the queue only, and an
/// exception that nobody asks for is lost with the last copy of this.
class [[nodiscard]] Call {
  public:
    Call(const Point& point, std::shared_ptr<detail::Outcome> outcome) noexcept
        : point_(point), outcome_(std::move(outcome)) {}

    Point point() const noexcept { return point_; }
    operator Point() const noexcept { return point_; }

    /// Blocks until the function has returned; throws what it threw, or the error of the queue.
    void wait() const {
        point_.wait();
        outcome_->rethrow();
    }
    /// False if the time was over first.
    [[nodiscard]] bool wait(std::chrono::nanoseconds timeout) const {
        if (!point_.wait(timeout)) return false;
        outcome_->rethrow();
        return true;
    }

  private:
    Point point_;
    std::shared_ptr<detail::Outcome> outcome_;
};

namespace detail {
inline Point finish_call(const Point& point, NoOutcome) noexcept {
    return point;
}
inline Call finish_call(const Point& point, std::shared_ptr<Outcome> outcome) noexcept {
    return {point, std::move(outcome)};
}
} // namespace detail

} // namespace v0
} // namespace qiao

#endif
