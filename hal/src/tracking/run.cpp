#include "tracking/run.h"

#include <algorithm>
#include <utility>

namespace qiao {

Run clip(const Run& run, uint64_t begin, uint64_t end) {
    const uint64_t first = std::max(run.offset, begin), last = std::min(run.end(), end);
    return first < last ? Run{first, last - first} : Run{first, 0};
}

void append(std::vector<Run>& runs, const Run& run, uint64_t bridged_bytes) {
    if (!runs.empty() && run.offset >= runs.back().offset && run.offset <= runs.back().end() + bridged_bytes) {
        runs.back().size_bytes = std::max(runs.back().end(), run.end()) - runs.back().offset;
    } else {
        runs.push_back(run);
    }
}

void normalize(std::vector<Run>& runs) {
    const auto before = [](const Run& left, const Run& right) { return left.offset < right.offset; };
    if (!std::is_sorted(runs.begin(), runs.end(), before)) std::sort(runs.begin(), runs.end(), before);
    size_t kept = 0;
    for (const Run& run : runs) {
        if (kept > 0 && run.offset <= runs[kept - 1].end()) {
            runs[kept - 1].size_bytes = std::max(runs[kept - 1].end(), run.end()) - runs[kept - 1].offset;
        } else {
            runs[kept++] = run;
        }
    }
    runs.resize(kept);
}

void clip(std::vector<Run>& runs, uint64_t begin, uint64_t end) {
    for (Run& run : runs) run = clip(run, begin, end);
    std::erase_if(runs, [](const Run& run) { return run.size_bytes == 0; });
}

void extract(std::vector<Run>& from, uint64_t begin, uint64_t end, std::vector<Run>& out) {
    out = from;
    std::vector<Run> rest;
    if (!from.empty() && (from.front().offset < begin || from.back().end() > end)) {
        rest.reserve(from.size() + 1);  // at most one run is cut into two that stay
        for (const Run& run : from) {
            for (const Run& piece : {clip(run, 0, begin), clip(run, end, UINT64_MAX)}) {
                if (piece.size_bytes > 0) rest.push_back(piece);
            }
        }
    }
    clip(out, begin, end);
    from = std::move(rest);
}

}  // namespace qiao
