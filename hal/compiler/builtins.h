/* The functions that OpenCL C has itself: a kernel cannot have the name of one. clang takes most of them all the same, since it declares
 * such a function only where it is called; PoCL renames it by a macro, and the kernel with it. */
#pragma once

#include <string_view>

namespace qiao::compiler {

/* "min", "vload4", "convert_float4_sat_rte" */
bool is_builtin_function(std::string_view name);

} // namespace qiao::compiler
