// Why a candidate is not usable: its state, what was wrong, what to do. Also how text from outside is put into sentences.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "qiao/instance.h"

namespace qiao::loader {

struct Problem {
    qiao_candidate_state state;
    std::string reason, remedy;
    bool harmful = false; // who asked may have been harmed: what was loaded is not to be trusted any more
};

// Nothing = all is well.
using Verdict = std::optional<Problem>;

// Text of a manifest or a plugin, fit for one line of a log: control characters replaced, cut at `limit` bytes.
inline std::string printable(std::string_view text, size_t limit = 120) {
    std::string result(text.substr(0, limit));
    std::replace_if(
        result.begin(), result.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
    if (text.size() > limit) result += "...";
    return result;
}

inline std::string in_quotes(std::string_view text, size_t limit = 120) {
    return '"' + printable(text, limit) + '"';
}

} // namespace qiao::loader
