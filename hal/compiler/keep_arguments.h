/* Kernels' pointer arguments kept alive in the text of a source: clspv 0.0.1 crashes in its address mode on any pointer
 * argument that nothing uses. */
#pragma once

#include <string>
#include <vector>

#include "failure.h"

namespace qiao::compiler {

/* Preprocessed text with a use of each of these arguments at the beginning of its kernel. The use is never executed, and a
 * Vulkan driver sees that it is not: it depends on a specialisation constant, the number of dimensions, being 0. Kernels
 * that are not found and arguments without a name stay as they are. */
struct KeptArgument {
    std::string kernel, name;
    std::string space; /* "global", "constant" or "local" */
};
std::string keep_arguments(const std::string& text, const std::vector<KeptArgument>& arguments);

} // namespace qiao::compiler
