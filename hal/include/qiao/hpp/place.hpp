/* Where a copy or a fill begins, and how many elements it has: found from what the caller has at hand. */
#ifndef QIAO_HPP_PLACE_HPP
#define QIAO_HPP_PLACE_HPP

#include <cstdint>
#include <iterator>
#include <string>
#include <type_traits>

#include "qiao/hpp/address.hpp"
#include "qiao/hpp/span.hpp"
#include "qiao/queue.h"

namespace qiao {
inline namespace v0 {
namespace detail {

template <class T>
struct TypedPlace {
    using Element = T;
    qiao_place place;
    uint64_t count;
};

template <class T>
struct IsSpan : std::false_type {};
template <class T>
struct IsSpan<span<T>> : std::true_type {};

template <class T>
TypedPlace<T> place_of(const Slice<T>& slice) noexcept {
    return {{slice.device.get(), slice.address.value()}, slice.count};
}
/// What holds elements on a device: a Buffer, a PoolBuffer.
template <template <class> class Holder, class T>
inline constexpr bool kHoldsSlice =
    std::is_convertible_v<const Holder<T>&, Slice<T>> && !std::is_same_v<Holder<T>, Slice<T>>;
template <template <class> class Holder, class T, class = std::enable_if_t<kHoldsSlice<Holder, T>>>
TypedPlace<T> place_of(const Holder<T>& holder) noexcept {
    return place_of(static_cast<Slice<T>>(holder));
}
template <template <class> class Holder, class T, class = std::enable_if_t<kHoldsSlice<Holder, T>>>
TypedPlace<T> place_of(Holder<T>& holder) noexcept {
    return place_of(static_cast<Slice<T>>(holder));
}
/// Host memory. It is used in place and after the call, so a temporary that owns it would be gone.
template <class Container>
auto place_of(Container&& container) noexcept -> TypedPlace<std::remove_pointer_t<decltype(std::data(container))>> {
    using Element = std::remove_pointer_t<decltype(std::data(container))>;
    static_assert(std::is_trivially_copyable_v<Element>, "a device takes bytes");
    static_assert(std::is_lvalue_reference_v<Container> || IsSpan<std::remove_const_t<Container>>::value,
                  "a temporary would be gone before the copy has ended");
    return {{nullptr, reinterpret_cast<uintptr_t>(std::data(container))}, std::size(container)};
}

inline void check_counts(uint64_t source, uint64_t target) {
    if (source == target) return;
    refuse(QIAO_ERROR_OUT_OF_RANGE,
           "the source of the copy has " + std::to_string(source) + " elements, its target " + std::to_string(target),
           "take slices of one size");
}

} // namespace detail
} // namespace v0
} // namespace qiao

#endif
