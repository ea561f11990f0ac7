// Ascending runs of bytes that do not touch, and what is done with lists of them.
#pragma once

#include <cstdint>
#include <vector>

namespace qiao {

struct Run {
    uint64_t offset = 0, size_bytes = 0;

    uint64_t end() const { return offset + size_bytes; }
    bool operator==(const Run&) const = default;
};

// The part of `run` inside [begin, end); of size 0 where there is none.
Run clip(const Run& run, uint64_t begin, uint64_t end);

// Adds a run, as the last one's continuation if it begins in that or at most `bridged_bytes` behind its end.
void append(std::vector<Run>& runs, const Run& run, uint64_t bridged_bytes = 0);

// Sorts runs that are in any order, and joins those that touch or overlap. Allocates nothing.
void normalize(std::vector<Run>& runs);

// Leaves of each run what is inside [begin, end). Allocates nothing.
void clip(std::vector<Run>& runs, uint64_t begin, uint64_t end);

// Moves what is inside [begin, end) from one list to the other, which it replaces. If memory for that is missing, throws
// and changes nothing.
void extract(std::vector<Run>& from, uint64_t begin, uint64_t end, std::vector<Run>& out);

}  // namespace qiao
