/* What all owners have in common: they hold one reference of a C object and give it back once. */
#ifndef QIAO_HPP_OWNER_HPP
#define QIAO_HPP_OWNER_HPP

#include <utility>

#include "qiao/hpp/error.hpp"

namespace qiao {
inline namespace v0 {

/// Owns one reference of a C object, or nothing (default-constructed and moved-from: then only assign and destroy).
/// Moves; copies only by the share() of each class. Objects keep their parents alive, so the order of destruction is free.
/// The destructor cannot throw: that the C release was refused (after a fork) is not seen.
template <class Object, qiao_status (*kRetain)(Object*), qiao_status (*kRelease)(Object*)>
class Owner {
  public:
    Owner() noexcept = default;
    Owner(Owner&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Owner& operator=(Owner&& other) noexcept {
        Owner(std::move(other)).swap(*this);
        return *this;
    }
    ~Owner() {
        if (object_ != nullptr) static_cast<void>(kRelease(object_));
    }

    /// The C object, for calls of qiao.h; borrowed.
    Object* get() const noexcept { return object_; }
    explicit operator bool() const noexcept { return object_ != nullptr; }
    /// Gives the reference to the caller, who releases it with the C function.
    [[nodiscard]] Object* detach() noexcept { return std::exchange(object_, nullptr); }

  protected:
    explicit Owner(Object* owned) noexcept : object_(owned) {}
    void swap(Owner& other) noexcept { std::swap(object_, other.object_); }
    /// One reference more.
    Object* retained() const {
        check(kRetain(object_));
        return object_;
    }

  private:
    Object* object_ = nullptr;
};

} // namespace v0
} // namespace qiao

#endif
