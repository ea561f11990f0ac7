/* Names of OpenCL's overloaded functions. */
#pragma once

#include <cctype>
#include <string_view>

namespace qiao {

/* "_Z10atomic_addPU3AS1Vii" -> "atomic_add"; other names as they are. */
inline std::string_view base_name(std::string_view name) {
    if (name.rfind("_Z", 0) != 0) return name;
    size_t digits = 2, length = 0;
    while (digits < name.size() && std::isdigit(static_cast<unsigned char>(name[digits])))
        length = length * 10 + static_cast<size_t>(name[digits++] - '0');
    return name.substr(digits, length);
}

} // namespace qiao
