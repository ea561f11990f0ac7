// Which file a plugin's library is, so that what was found out about it holds until the file changes.
#pragma once

#include <string>

namespace qiao::loader {

// Path, size, and the linker's build id; without one the file's number and time. "" = it cannot be told: there is no such
// file, or the name is the system's loader's to resolve.
std::string library_identity(const std::string& path);

} // namespace qiao::loader
