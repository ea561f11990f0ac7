// Reads a family's data file. Whatever is wrong is said with file, line, key, value and what it must be; nothing is guessed. The keys
// are described in README.md.
#pragma once

#include <string>
#include <vector>

#include "family.h"

namespace qiao::cuda {

// `id`.json out of the first of the folders that has it, on top of the one that it is "like". "" or what is wrong.
std::string read_family(const std::vector<std::string>& folders, const std::string& id, Family* out);

// Where the data files are: QIAO_CUDA_FAMILIES, then the folder beside the plugin's library.
std::vector<std::string> family_folders(const char* plugin_directory);

} // namespace qiao::cuda
