/* Widths count UTF-8 characters, not bytes, and skip colours; double-width characters are not known. */
#include "cli/table.h"

#include <algorithm>
#include <cstdio>

namespace qiao::cli {
namespace {

size_t width(const std::string& cell) {
    size_t count = 0;
    bool in_escape = false;
    for (const char c : cell) {
        if (c == '\x1b') in_escape = true;
        if (!in_escape && (c & 0xc0) != 0x80) ++count;
        if (c == 'm') in_escape = false;
    }
    return count;
}

std::string with_digits(double value, const char* unit) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%.*f %s", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value, unit);
    return buffer;
}

} // namespace

std::string Table::text(const std::string& indent) const {
    std::vector<size_t> widths;
    for (const auto& row : rows_) {
        widths.resize(std::max(widths.size(), row.size()));
        for (size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], width(row[i]));
    }
    std::string result;
    for (const auto& row : rows_) {
        std::string line = indent;
        for (size_t i = 0; i < row.size(); ++i)
            line += row[i] + std::string(widths[i] + 2 - width(row[i]), ' ');
        line.erase(line.find_last_not_of(' ') + 1);
        result += line + '\n';
    }
    return result;
}

std::string bytes_text(unsigned long long bytes) {
    if (bytes < 10 * 1024) return std::to_string(bytes) + " B";
    constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = static_cast<double>(bytes) / 1024;
    size_t unit = 0;
    for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit)
        value /= 1024;
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%.*f %s", value < 99.95 ? 1 : 0, value, kUnits[unit]);
    return buffer;
}

std::string time_text(double nanoseconds) {
    if (nanoseconds < 999.5) {
        char buffer[64];
        std::snprintf(buffer, sizeof buffer, "%.0f ns", nanoseconds);
        return buffer;
    }
    if (nanoseconds < 999.5e3) return with_digits(nanoseconds / 1e3, "us");
    if (nanoseconds < 999.5e6) return with_digits(nanoseconds / 1e6, "ms");
    return with_digits(nanoseconds / 1e9, "s");
}

std::string printable(const std::string& text) {
    std::string result;
    for (size_t at = 0; at < text.size(); ++at) {
        const auto code = static_cast<unsigned char>(text[at]);
        const bool is_c1 = code == 0xc2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0; /* U+0080 to U+009F */
        if (is_c1) {
            ++at;
        } else if (code == '\n' || code == '\t') {
            result += ' ';
        } else if (code >= 0x20 && code != 0x7f) {
            result += text[at];
        }
    }
    return result;
}

} // namespace qiao::cli
