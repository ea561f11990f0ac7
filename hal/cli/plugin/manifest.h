/* The manifest of a plugin that is being checked: which one it is, and whether both say the same. What else can be wrong with a
 * manifest is told by the loader. */
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/checks.h"

namespace qiao::cli {

/* The one in the library's folder, or in plugins.d there, that names the library; "" = none. */
std::string find_manifest(const std::string& library);

/* `path` may be "". `facts` is what the plugin said of itself, as far as it could be asked. */
std::vector<Check> check_manifest(const std::string& path, const std::string& library, const nlohmann::ordered_json& facts);

} // namespace qiao::cli
