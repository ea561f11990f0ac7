/* What several tests of the command need: arrays from values, and the message of what is thrown. */
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "cli/array/array.h"
#include "cli/failure.h"

namespace qiao::cli {

template <typename T>
Array array_of(Element element, Shape shape, const std::vector<T>& values) {
    Array array{element, std::move(shape), std::vector<std::byte>(values.size() * sizeof(T))};
    if (!values.empty()) std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
    return array;
}

template <typename T>
std::vector<T> values_of(const Array& array) {
    std::vector<T> values(array.bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
    return values;
}

inline std::vector<std::byte> bytes_of(const std::string& text) {
    const auto* data = reinterpret_cast<const std::byte*>(text.data());
    return {data, data + text.size()};
}

/* "2: message" of the Failure that the call throws; "" if it throws none. */
template <typename Call>
std::string failure_of(Call&& call) {
    try {
        call();
    } catch (const Failure& failure) {
        return text(failure.code, ": ", failure.what());
    }
    return "";
}

inline bool contains(const std::string& whole, const std::string& part) {
    return whole.find(part) != std::string::npos;
}

} // namespace qiao::cli
