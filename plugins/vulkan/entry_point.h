// One kernel's own module out of a program's: some drivers read all of a module whichever entry point they compile, and fail
// on what belongs to another (lavapipe 22.3.6, where two kernels' push constants are structs of several words).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace qiao::vulkan {

using Words = std::vector<uint32_t>;

// The module with that entry point, the functions it reaches and the variables these use; types and constants stay.
Words module_of(const Words& words, const std::string& entry_point);

// The names of a module's entry points.
std::vector<std::string> entry_points_of(const Words& words);

} // namespace qiao::vulkan
