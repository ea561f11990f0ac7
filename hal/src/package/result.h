/* A value or the reason why there is none. Used by the package room and the compiler, which must say what was wrong and what
 * to do. */
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace qiao::package {

struct Error {
    std::string message; /* what was wrong, the value, the limit */
    std::string remedy;  /* what to do */
};

template <typename T, typename E = Error>
class [[nodiscard]] Result {
  public:
    Result(T value) : value_(std::in_place_index<0>, std::move(value)) {}
    Result(E error) : value_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return value_.index() == 0; }
    T& operator*() & { return std::get<0>(value_); }
    T&& operator*() && { return std::get<0>(std::move(value_)); }
    const T& operator*() const& { return std::get<0>(value_); }
    T* operator->() { return &std::get<0>(value_); }
    const T* operator->() const { return &std::get<0>(value_); }
    const E& error() const { return std::get<1>(value_); }

  private:
    std::variant<T, E> value_;
};

} // namespace qiao::package
