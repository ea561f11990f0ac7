/* Typed device addresses, and ranges of elements behind them. */
#ifndef QIAO_HPP_ADDRESS_HPP
#define QIAO_HPP_ADDRESS_HPP

#include <cstdint>
#include <type_traits>

#include "qiao/hpp/device.hpp"
#include "qiao/types.h"

namespace qiao {
inline namespace v0 {

/// The device address of a T: 8 bytes that a kernel takes for a pointer. Arithmetic counts elements, as with pointers. The
/// host cannot follow it, and it has meaning only together with its device, which it does not know.
template <class T>
class Address {
  public:
    using element_type = T;

    constexpr Address() noexcept = default;
    constexpr explicit Address(uint64_t value) noexcept : value_(value) {}
    /// Adds const; never takes it away, never changes the element.
    template <class U, class = std::enable_if_t<std::is_same_v<const U, T>>>
    constexpr Address(Address<U> other) noexcept : value_(other.value()) {}

    constexpr uint64_t value() const noexcept { return value_; }
    constexpr explicit operator bool() const noexcept { return value_ != 0; }
    /// The same address as that of another type; alignment is the caller's business.
    template <class U>
    constexpr Address<U> as() const noexcept {
        static_assert(std::is_const_v<U> || !std::is_const_v<T>, "const stays: take the address of the buffer itself");
        return Address<U>(value_);
    }

    constexpr Address& operator+=(int64_t elements) noexcept {
        value_ += static_cast<uint64_t>(elements) * sizeof(T);
        return *this;
    }
    constexpr Address& operator-=(int64_t elements) noexcept {
        value_ -= static_cast<uint64_t>(elements) * sizeof(T);
        return *this;
    }
    friend constexpr Address operator+(Address address, int64_t elements) noexcept { return address += elements; }
    friend constexpr Address operator-(Address address, int64_t elements) noexcept { return address -= elements; }
    /// In elements; both must be of one allocation.
    friend constexpr int64_t operator-(Address a, Address b) noexcept {
        return static_cast<int64_t>(a.value_ - b.value_) / static_cast<int64_t>(sizeof(T));
    }
    friend constexpr bool operator==(Address a, Address b) noexcept { return a.value_ == b.value_; }
    friend constexpr bool operator!=(Address a, Address b) noexcept { return a.value_ != b.value_; }
    friend constexpr bool operator<(Address a, Address b) noexcept { return a.value_ < b.value_; }

  private:
    uint64_t value_ = 0;
};

/// `count` elements in the memory of a device: what copies and fills take. Borrows; a Buffer becomes one by itself.
template <class T>
struct Slice {
    using element_type = T;

    Device device;
    Address<T> address;
    uint64_t count = 0;

    constexpr operator Address<T>() const noexcept { return address; }
    template <class U, class = std::enable_if_t<std::is_same_v<const T, U>>>
    constexpr operator Address<U>() const noexcept {
        return address;
    }
};

} // namespace v0
} // namespace qiao

#endif
