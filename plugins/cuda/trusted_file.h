// Reads files whose contents decide which functions of which libraries are called: only what nobody but root and the user could
// have written is believed.
#pragma once

#include <string>

namespace qiao::cuda {

inline constexpr size_t kMaxFamilyBytes = 65536;

// "" and the file's text, or why it is not read: it cannot be opened, is no regular file, is too large, belongs to somebody else, or
// may be written by others. `*out_missing` tells that there is no such file.
std::string read_trusted(const std::string& path, std::string* out_text, bool* out_missing);

} // namespace qiao::cuda
