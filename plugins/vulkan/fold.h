// Launches of more work-groups than the device takes along an axis. The groups are numbered, x fastest, and dispatched as a grid
// that the device takes and that is as full as can be; a kernel's module is changed so that each group finds its place in the
// launch by its number, and ends at once where it has none. How many groups the launch has is read from a uniform buffer, so that
// one pipeline does for all of them.
#pragma once

#include "entry_point.h"

namespace qiao::vulkan {

struct Grid {
    uint32_t groups[3];
};

// How a pipeline's launches are dispatched. Along a line a group's number is its place; elsewhere it is divided, by numbers that are
// known at the launch only. Numbers of 64 bits take longer, so they are left to launches that are too large for others.
enum Fold : uint32_t { kAsItIs, kFoldedLine, kFoldedBlock, kFoldedWide };
Fold fold_of(const uint32_t (&groups)[3], const uint32_t (&limits)[3]);

// Where a folded module reads the number of groups, three words: binding 0 of this set.
inline constexpr uint32_t kGroupsSet = 1;

// The grid for them; false if there are too many of them for any.
bool fold(const uint32_t (&groups)[3], const uint32_t (&limits)[3], Grid* out);

// What module_of made for the entry point, for folded launches of groups of that size. Work-group numbers, global ids and the
// number of groups are as if the device took them as they are.
Words folded_module(const Words& words, const std::string& entry_point, Fold fold, const uint32_t (&group_size)[3]);

} // namespace qiao::vulkan
