/* Files in and out, and which format a file name means. */
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "cli/array/array.h"

namespace qiao::cli {

/* Throw Failure with the system's reason. */
std::vector<std::byte> read_file(const std::string& path);
void write_file(const std::string& path, std::span<const std::byte> bytes);

/* .npy or .png, by the end of the name. */
bool is_array_path(const std::string& path);
Array read_array(const std::string& path);
void write_array(const std::string& path, const Array& array);

} // namespace qiao::cli
