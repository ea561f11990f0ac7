/* A new plugin project, made from the skeleton that is installed with Qiao. */
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace qiao::cli {

/* Writes the project of plugin `id` into the new folder `target` and returns its files, relative to it. Throws Failure:
 * kExitUsage for a name that no plugin may have, or a folder that exists; kExitFailed for what cannot be read or written. */
std::vector<std::filesystem::path> create_plugin(const std::string& id, const std::filesystem::path& target);

} // namespace qiao::cli
