// What a probe says of a plugin, as bytes: through the pipe from the child, and on disk. Bounded, and whole or not taken.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "loader/problem.h"

namespace qiao::loader {

// Who may talk to whom: the version of Qiao and of the plugin ABI.
std::string probe_protocol();

inline constexpr size_t kMaxReportText = 4096;
inline constexpr size_t kMaxReportBytes = 2 * kMaxReportText + 64;
inline constexpr char kReportBegin = '\x89'; // no step begins with it

// Nothing = the plugin may be loaded.
std::string encode_report(const Verdict& harmful);
// False unless `bytes` is one whole report.
bool decode_report(std::string_view bytes, Verdict& out_harmful);

// 64-bit FNV-1a: tells damage and names files; not proof against intent.
uint64_t fingerprint(std::string_view bytes);

// Numbers in these bytes are this machine's own.
template <class Number>
void append(std::string& bytes, Number number) {
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}
// Takes a number from the front; false if there is none.
template <class Number>
bool take(std::string_view& bytes, Number& out_number) {
    if (bytes.size() < sizeof out_number) return false;
    bytes.copy(reinterpret_cast<char*>(&out_number), sizeof out_number);
    bytes.remove_prefix(sizeof out_number);
    return true;
}

} // namespace qiao::loader
