/* Parsing is strict and does not depend on the locale. The random numbers are SplitMix64 of (seed, index): short enough to
 * be written again in any language that must make the same array. */
#include "cli/array/numbers.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "cli/failure.h"

namespace qiao::cli {
namespace {

__extension__ using Wide = __int128; /* holds every 64-bit integer of either sign, and sums of two */
__extension__ using UnsignedWide = unsigned __int128;

std::optional<double> parse_float(std::string_view number) {
    double value = 0;
    const char* end = number.data() + number.size();
    const auto [rest, error] = std::from_chars(number.data(), end, value);
    if (error != std::errc() || rest != end) return std::nullopt;
    return value;
}

std::optional<Wide> parse_integer(std::string_view number) {
    const bool negative = number.starts_with('-');
    const std::optional<uint64_t> magnitude = parse_unsigned(number.substr(negative ? 1 : 0));
    if (!magnitude) return std::nullopt;
    return negative ? -static_cast<Wide>(*magnitude) : static_cast<Wide>(*magnitude);
}

template <typename T>
using Limits = std::numeric_limits<T>;

template <typename T>
Wide integer(std::string_view number, const std::string& what) {
    const std::optional<Wide> value = parse_integer(number);
    if (!value) throw Failure(kExitUsage, text(what, ": '", number, "' is not an integer"));
    if (*value < Limits<T>::min() || *value > Limits<T>::max()) {
        throw Failure(kExitUsage,
                      text(what, ": ", number, " is outside ", +Limits<T>::min(), " to ", +Limits<T>::max()));
    }
    return *value;
}

template <typename T>
constexpr double kLargest = static_cast<double>(Limits<T>::max());
template <>
constexpr double kLargest<Half> = 65504.0;

/* A finite number that overflows the type is an error, as it is for integers; "inf" is what it says. */
template <typename T>
double floating(std::string_view number, const std::string& what) {
    std::optional<double> value = parse_float(number);
    if (!value) {
        if (const std::optional<Wide> whole = parse_integer(number)) value = static_cast<double>(*whole); /* 0x10 */
    }
    if (!value) throw Failure(kExitUsage, text(what, ": '", number, "' is not a number"));
    if (std::isfinite(*value) && std::fabs(*value) > kLargest<T>) {
        throw Failure(kExitUsage, text(what, ": ", number, " is beyond the largest number, ", kLargest<T>));
    }
    return *value;
}

template <typename T>
T rounded(double value) {
    if constexpr (std::is_same_v<T, Half>) {
        return half_from_double(value);
    } else {
        return static_cast<T>(value);
    }
}

template <typename T>
T parse_as(std::string_view number, const std::string& what) {
    if constexpr (std::is_integral_v<T>) {
        return static_cast<T>(integer<T>(number, what));
    } else {
        return rounded<T>(floating<T>(number, what));
    }
}

/* Calls `make` with each index and stores what it returns. */
template <typename T, typename Make>
void fill(Array& array, Make&& make) {
    const uint64_t count = array.bytes.size() / sizeof(T);
    for (uint64_t i = 0; i < count; ++i) {
        const T value = make(i);
        std::memcpy(array.bytes.data() + i * sizeof(T), &value, sizeof(T));
    }
}

uint64_t split_mix(uint64_t seed, uint64_t index) {
    uint64_t z = seed + (index + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

template <typename T>
void fill_integer_range(Array& array, std::string_view start, std::string_view step, const std::string& what) {
    const Wide first = integer<T>(start, what);
    const Wide by = integer<int64_t>(step, what);
    const Wide steps = static_cast<Wide>(array.bytes.size() / sizeof(T)) - 1;
    const Wide last = steps > 0 ? first + by * steps : first;
    if (last < Limits<T>::min() || last > Limits<T>::max()) {
        throw Failure(kExitUsage,
                      text(what, ": a range of ", steps + 1 > 0 ? static_cast<uint64_t>(steps + 1) : 0,
                           " elements from ", start, " in steps of ", step, " leaves ", element_name(array.element)),
                      "use another start or step, or a wider type");
    }
    fill<T>(array, [&](uint64_t i) { return static_cast<T>(first + by * static_cast<Wide>(i)); });
}

template <typename T>
void fill_float_range(Array& array, std::string_view start, std::string_view step, const std::string& what) {
    const double first = floating<T>(start, what);
    const double by = floating<T>(step, what);
    const uint64_t count = array.bytes.size() / sizeof(T);
    const double last = first + by * static_cast<double>(count);
    if (std::isfinite(first) && std::isfinite(by) && !(std::fabs(last) <= kLargest<T>)) {
        throw Failure(kExitUsage,
                      text(what, ": a range of ", count, " elements from ", start, " in steps of ", step, " leaves ",
                           element_name(array.element)),
                      "use another start or step, or a wider type");
    }
    fill<T>(array, [&](uint64_t i) { return rounded<T>(first + static_cast<double>(i) * by); });
}

template <typename T>
void fill_random_integers(Array& array, uint64_t seed, std::string_view low, std::string_view high,
                          const std::string& what) {
    const Wide from = low.empty() ? Wide{Limits<T>::min()} : integer<T>(low, what);
    const Wide to = high.empty() ? Wide{Limits<T>::max()} : integer<T>(high, what);
    if (from > to) throw Failure(kExitUsage, text(what, ": the bounds ", low, ",", high, " are in the wrong order"));
    const auto values = static_cast<UnsignedWide>(to - from + 1);
    fill<T>(array, [&](uint64_t i) {
        return static_cast<T>(from + static_cast<Wide>(values * split_mix(seed, i) >> 64)); /* multiply, no division */
    });
}

template <typename T>
void fill_random_floats(Array& array, uint64_t seed, std::string_view low, std::string_view high,
                        const std::string& what) {
    const double from = low.empty() ? 0.0 : floating<T>(low, what);
    const double to = high.empty() ? 1.0 : floating<T>(high, what);
    if (!(from <= to) || !std::isfinite(from) || !std::isfinite(to)) {
        throw Failure(kExitUsage, text(what, ": the bounds ", low, ",", high, " are not two finite numbers in order"));
    }
    fill<T>(array, [&](uint64_t i) {
        const double unit = static_cast<double>(split_mix(seed, i) >> 11) * 0x1p-53; /* [0, 1) */
        return rounded<T>(from * (1.0 - unit) + to * unit);
    });
}

} // namespace

std::optional<uint64_t> parse_unsigned(std::string_view number) {
    int base = 10;
    if (number.starts_with("0x") || number.starts_with("0X")) {
        number.remove_prefix(2);
        base = 16;
    }
    uint64_t value = 0;
    const char* end = number.data() + number.size();
    const auto [rest, error] = std::from_chars(number.data(), end, value, base);
    if (error != std::errc() || rest != end) return std::nullopt;
    return value;
}

void store_number(Element element, std::string_view number, std::byte* target, const std::string& what) {
    visit_element(element, [&]<typename T>(std::type_identity<T>) {
        const T value = parse_as<T>(number, what);
        std::memcpy(target, &value, sizeof(T));
    });
}

void fill_constant(Array& array, std::string_view number, const std::string& what) {
    visit_element(array.element, [&]<typename T>(std::type_identity<T>) {
        const T value = parse_as<T>(number, what);
        fill<T>(array, [&](uint64_t) { return value; });
    });
}

void fill_range(Array& array, std::string_view start, std::string_view step, const std::string& what) {
    visit_element(array.element, [&]<typename T>(std::type_identity<T>) {
        if constexpr (std::is_integral_v<T>) {
            fill_integer_range<T>(array, start, step, what);
        } else {
            fill_float_range<T>(array, start, step, what);
        }
    });
}

void fill_random(Array& array, uint64_t seed, std::string_view low, std::string_view high, const std::string& what) {
    visit_element(array.element, [&]<typename T>(std::type_identity<T>) {
        if constexpr (std::is_integral_v<T>) {
            fill_random_integers<T>(array, seed, low, high, what);
        } else {
            fill_random_floats<T>(array, seed, low, high, what);
        }
    });
}

} // namespace qiao::cli
