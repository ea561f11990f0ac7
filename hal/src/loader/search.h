// Where manifests are looked for, and in which order.
#pragma once

#include <string>
#include <vector>

#include "loader/problem.h"

namespace qiao::loader {

inline constexpr const char* kPathVariable = "QIAO_PLUGIN_PATH";

struct Place {
    std::string folder;
    std::string named_by; // what the user named it with; "" = a place of Qiao's own, which may be missing
};

// First found, first served. `plugin_path` (folders with ':' between) replaces all other places; an empty entry stands for them.
std::vector<Place> places(const std::string& plugin_path);

// The *.json files of a place, hidden ones excepted, sorted by name; or why they cannot be listed.
Verdict list_manifests(const Place& place, std::vector<std::string>& out_manifests);

} // namespace qiao::loader
