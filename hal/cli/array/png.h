/* PNG pictures as arrays: u8[height x width] for grey, u8[height x width x channels] for grey + alpha (2), RGB (3) and
 * RGBA (4). Pictures with palettes or 16 bits are read as 8-bit RGB(A) or grey. */
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "cli/array/array.h"

namespace qiao::cli {

/* Throw Failure; its message begins with `name`. */
Array parse_png(std::span<const std::byte> file, const std::string& name);
std::vector<std::byte> format_png(const Array& array, const std::string& name);

} // namespace qiao::cli
