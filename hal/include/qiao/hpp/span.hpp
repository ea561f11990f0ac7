/* qiao::span: std::span where the standard library has it, else as much of it as functions need that take one. Only
 * parameters have this type: what a C++17 file compiles is called by a C++20 file, and the other way round. */
#ifndef QIAO_HPP_SPAN_HPP
#define QIAO_HPP_SPAN_HPP

#include <cstddef>
#if __cplusplus >= 202002L
#include <span>
#endif

#if defined(__cpp_lib_span)

namespace qiao {
inline namespace v0 {
using std::span;
} // namespace v0
} // namespace qiao

#else

#include <iterator>
#include <type_traits>

namespace qiao {
inline namespace v0 {

/// A pointer and a count; what it points to is borrowed. Made from arrays and from containers that have data() and size().
template <class T>
class span {
    template <class Container>
    using IfFits = std::enable_if_t<
        std::is_convertible_v<std::remove_pointer_t<decltype(std::data(std::declval<Container&>()))> (*)[], T (*)[]> >;

  public:
    using element_type = T;
    using value_type = std::remove_cv_t<T>;

    constexpr span() noexcept = default;
    constexpr span(T* data, std::size_t size) noexcept : data_(data), size_(size) {}
    template <class Container, class = IfFits<Container> >
    constexpr span(Container& container) : data_(std::data(container)), size_(std::size(container)) {}
    template <class Container, class = IfFits<const Container> >
    constexpr span(const Container& container) : data_(std::data(container)), size_(std::size(container)) {}

    constexpr T* data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr std::size_t size_bytes() const noexcept { return size_ * sizeof(T); }
    constexpr bool empty() const noexcept { return size_ == 0; }
    constexpr T* begin() const noexcept { return data_; }
    constexpr T* end() const noexcept { return data_ + size_; }
    constexpr T& operator[](std::size_t index) const noexcept { return data_[index]; }
    constexpr span first(std::size_t count) const noexcept { return {data_, count}; }
    constexpr span subspan(std::size_t offset) const noexcept { return {data_ + offset, size_ - offset}; }
    constexpr span subspan(std::size_t offset, std::size_t count) const noexcept { return {data_ + offset, count}; }

  private:
    T* data_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace v0
} // namespace qiao

#endif

#endif
