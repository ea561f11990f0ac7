// Globs and lists of them: which plugins and devices are let in.
#include "loader/loader.h"

namespace qiao::loader {

bool glob_match(std::string_view pattern, std::string_view text) {
    // On a mismatch only the last star needs to take one character more: earlier ones cannot help.
    size_t at = 0, in = 0, star = std::string_view::npos, star_in = 0;
    while (in < text.size()) {
        if (at < pattern.size() && pattern[at] == '*') {
            star = at++;
            star_in = in;
        } else if (at < pattern.size() && (pattern[at] == '?' || pattern[at] == text[in])) {
            ++at;
            ++in;
        } else if (star != std::string_view::npos) {
            at = star + 1;
            in = ++star_in;
        } else {
            return false;
        }
    }
    while (at < pattern.size() && pattern[at] == '*')
        ++at;
    return at == pattern.size();
}

bool list_match(std::string_view list, std::string_view text) {
    constexpr std::string_view kBlanks = " \t";
    bool included = true, first = true;
    while (true) {
        const size_t comma = list.find(',');
        std::string_view entry = list.substr(0, comma);
        entry.remove_prefix(std::min(entry.find_first_not_of(kBlanks), entry.size()));
        entry = entry.substr(0, entry.find_last_not_of(kBlanks) + 1);
        if (!entry.empty()) {
            const bool excludes = entry[0] == '!' || entry[0] == '-';
            if (first) included = excludes;
            first = false;
            if (glob_match(entry.substr(excludes ? 1 : 0), text)) included = !excludes;
        }
        if (comma == std::string_view::npos) return included;
        list.remove_prefix(comma + 1);
    }
}

} // namespace qiao::loader
