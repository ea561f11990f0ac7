// Launches of more work-groups than the device takes along an axis. The groups are numbered, x fastest, and dispatched as a grid
// that the device takes and that is as full as can be; a kernel's module is changed so that each group finds its place in the
// launch by its number, and ends at once where it has none.
#pragma once

#include "entry_point.h"

namespace qiao::vulkan {

struct Grid {
    uint32_t groups[3];
};

// Whether the device takes so many groups as they are.
bool fits(const uint32_t (&groups)[3], const uint32_t (&limits)[3]);

// The grid for them; false if there are too many of them for any.
bool fold(const uint32_t (&groups)[3], const uint32_t (&limits)[3], Grid* out);

// What module_of made for the entry point, for a launch of so many groups of that size in that grid. Work-group numbers, global
// ids and the number of groups are as if the device took them as they are.
Words folded_module(const Words& words, const std::string& entry_point, const uint32_t (&groups)[3], const uint32_t (&group_size)[3],
                    const Grid& grid);

} // namespace qiao::vulkan
