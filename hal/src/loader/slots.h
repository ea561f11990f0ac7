// What must be in a plugin's tables for a role: the required slots, and those that come together or not at all.
#pragma once

#include "loader/problem.h"
#include "qiao/plugin.h"

namespace qiao::loader {

// `of_whom` begins the sentence: "the plugin", "device 2". Reads no more of a table than its struct_size covers.
Verdict check_tables(const qiao_plugin_tables* tables, uint64_t roles, const std::string& of_whom);

} // namespace qiao::loader
