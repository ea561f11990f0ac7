// Where manifests are looked for, and in which order.
#pragma once

#include <string>
#include <vector>

namespace qiao::loader {

// Folders, first found first served. `override_path` replaces all of them.
std::vector<std::string> manifest_folders(const std::string& override_path);

// The *.json files of a folder, sorted by name; empty if there is no such folder.
std::vector<std::string> manifests_in(const std::string& folder);

}  // namespace qiao::loader
