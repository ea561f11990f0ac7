// Numbers are formatted by the C library, one at a time: vectors and lengths are OpenCL's own. See printf_call.h.
#include "printf_call.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace qiao::vulkan {
namespace {

constexpr int kMaxWidth = 4096; // and precision

int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Text up to ',' or the end.
bool take_format(const char*& at, std::string& out) {
    for (; *at != '\0' && *at != ','; ++at) {
        if (*at != '%') {
            out += *at;
            continue;
        }
        const int high = digit_of(at[1]), low = high < 0 ? -1 : digit_of(at[2]);
        if (low < 0) return false;
        out += static_cast<char>(16 * high + low);
        at += 2;
    }
    return true;
}

bool take_sizes(const char*& at, std::vector<uint32_t>& out) {
    while (*at != ':') {
        char* behind = nullptr;
        if (*at < '0' || *at > '9') return false;
        const unsigned long size = strtoul(at, &behind, 10);
        if (size == 0 || size > 128 || size % 4 != 0) return false;
        out.push_back(static_cast<uint32_t>(size));
        at = *behind == '.' ? behind + 1 : behind;
    }
    ++at;
    return true;
}

// What stands between '%' and the conversion's letter, and that.
struct Conversion {
    std::string flags, width; // the width with '.' and the precision
    uint32_t elements = 1;    // of the vector
    uint32_t bytes = 0;       // of an element; 0 = as the argument is
    char letter = 0;
};

uint32_t take_digits(const char*& at, std::string& out) {
    uint32_t value = 0;
    for (; *at >= '0' && *at <= '9'; ++at)
        value = std::min(value * 10 + static_cast<uint32_t>(*at - '0'), uint32_t{kMaxWidth});
    out = std::to_string(value);
    return value;
}

// Behind '%'; false where this is no conversion of OpenCL C.
bool take_conversion(const char*& at, Conversion& out) {
    std::string digits;
    for (; *at != '\0' && std::strchr("-+ #0", *at) != nullptr; ++at)
        out.flags += *at;
    if (take_digits(at, digits) != 0) out.width = digits;
    if (*at == '.') {
        take_digits(++at, digits);
        out.width += "." + digits;
    }
    if (*at == 'v') {
        out.elements = take_digits(++at, digits);
        const uint32_t n = out.elements;
        if (n != 2 && n != 3 && n != 4 && n != 8 && n != 16) return false;
    }
    if (at[0] == 'h' && at[1] == 'h') {
        out.bytes = 1, at += 2;
    } else if (at[0] == 'h' && at[1] == 'l') {
        out.bytes = 4, at += 2;
    } else if (*at == 'h') {
        out.bytes = 2, ++at;
    } else if (*at == 'l') {
        out.bytes = 8, ++at;
    }
    out.letter = *at;
    return *at != '\0' && std::strchr("diouxXeEfFgGaAcsp", *at++) != nullptr;
}

template <typename Value>
void append(const Conversion& conversion, const char* length, Value value, std::string& out) {
    const std::string format = "%" + conversion.flags + conversion.width + length + conversion.letter;
    char text[2 * kMaxWidth + 512];
    const int size = std::snprintf(text, sizeof text, format.c_str(), value);
    if (size > 0) out.append(text, std::min(static_cast<size_t>(size), sizeof text - 1));
}

template <typename Value>
Value value_at(const void* from) {
    Value value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

float half_at(const void* from) {
    const auto bits = value_at<uint16_t>(from);
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const float sign = (bits & 0x8000) != 0 ? -1.0f : 1.0f;
    if (exponent == 31) return fraction != 0 ? __builtin_nanf("") : sign * __builtin_inff();
    const float mantissa = static_cast<float>(exponent != 0 ? 1024 + fraction : fraction);
    return sign * __builtin_ldexpf(mantissa, std::max(exponent, 1) - 25);
}

// One number of `bytes` bytes.
void append_number(const Conversion& conversion, const char* from, uint32_t bytes, std::string& out) {
    if (std::strchr("eEfFgGaA", conversion.letter) != nullptr) {
        const double value = bytes == 8   ? value_at<double>(from)
                             : bytes == 2 ? static_cast<double>(half_at(from))
                                          : static_cast<double>(value_at<float>(from));
        append(conversion, "", value, out);
    } else if (conversion.letter == 'd' || conversion.letter == 'i') {
        const long long value = bytes == 1   ? value_at<int8_t>(from)
                                : bytes == 2 ? value_at<int16_t>(from)
                                : bytes == 4 ? value_at<int32_t>(from)
                                             : value_at<int64_t>(from);
        append(conversion, "ll", value, out);
    } else {
        const unsigned long long value = bytes == 1   ? value_at<uint8_t>(from)
                                         : bytes == 2 ? value_at<uint16_t>(from)
                                         : bytes == 4 ? value_at<uint32_t>(from)
                                                      : value_at<uint64_t>(from);
        append(conversion, "ll", value, out);
    }
}

// Of an argument of `size` bytes. Scalars of less than four are passed as int, and half and float as double where there is one.
void append_argument(const Conversion& conversion, const std::vector<PrintfCall>& calls, const uint32_t* words, uint32_t size,
                     std::string& out) {
    const auto* from = reinterpret_cast<const char*>(words);
    if (conversion.letter == 's') {
        append(conversion, "", words[0] < calls.size() ? calls[words[0]].format.c_str() : "", out);
    } else if (conversion.letter == 'c') {
        append(conversion, "", static_cast<int>(words[0]), out);
    } else if (conversion.letter == 'p') {
        append(conversion, "", reinterpret_cast<const void*>(size >= 8 ? value_at<uint64_t>(from) : words[0]), out);
    } else if (conversion.elements == 1) {
        const bool floating = std::strchr("eEfFgGaA", conversion.letter) != nullptr;
        const uint32_t whole = size >= 8 ? 8 : 4;
        append_number(conversion, from, floating || conversion.bytes == 0 ? whole : std::min(conversion.bytes, whole), out);
    } else {
        const uint32_t stored = conversion.elements == 3 && size % 3 != 0 ? 4 : conversion.elements; // three take the room of four, or not
        const uint32_t bytes = conversion.bytes != 0 ? conversion.bytes : size / stored;
        for (uint32_t i = 0; i < conversion.elements && (i + 1) * bytes <= size; ++i) {
            if (i != 0) out += ',';
            append_number(conversion, from + i * bytes, bytes, out);
        }
    }
}

} // namespace

bool parse_printf_calls(const char* text, std::vector<PrintfCall>* out) {
    for (const char* at = text;; ++at) {
        PrintfCall& call = out->emplace_back();
        if (!take_sizes(at, call.sizes) || !take_format(at, call.format)) return false;
        if (*at == '\0') return true;
    }
}

void format_printf(const std::vector<PrintfCall>& calls, const PrintfCall& call, const uint32_t* arguments, std::string* out) {
    size_t argument = 0;
    for (const char* at = call.format.c_str(); *at != '\0';) {
        if (*at != '%') {
            *out += *at++;
            continue;
        }
        const char* behind = at + 1;
        Conversion conversion;
        if (*behind == '%') {
            *out += '%';
            at = behind + 1;
        } else if (take_conversion(behind, conversion) && argument < call.sizes.size()) {
            const uint32_t size = call.sizes[argument++];
            append_argument(conversion, calls, arguments, size, *out);
            arguments += size / 4;
            at = behind;
        } else {
            *out += *at++;
        }
    }
}

bool read_output(const std::vector<PrintfCall>& calls, const uint32_t* words, uint32_t word_count, std::string* out) {
    const uint32_t used = words[0], room = word_count - 1;
    ++words;
    for (uint32_t at = 0; at < std::min(used, room);) {
        if (words[at] >= calls.size()) return false;
        const PrintfCall& call = calls[words[at++]];
        uint32_t size = 0;
        for (const uint32_t each : call.sizes)
            size += each / 4;
        if (size > room - at) return false; // the kernel wrote its number only
        format_printf(calls, call, words + at, out);
        at += size;
    }
    return used <= room;
}

} // namespace qiao::vulkan
