/* NumPy's .npy files. Reading takes versions 1.0 to 3.0, both byte orders and both memory orders, and gives C order in
 * the host's byte order; writing gives version 1.0. Files are untrusted: every size is checked before it is used. */
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "cli/array/array.h"

namespace qiao::cli {

/* Throw Failure; its message begins with `name`. */
Array parse_npy(std::span<const std::byte> file, const std::string& name);
std::vector<std::byte> format_npy(const Array& array);

} // namespace qiao::cli
