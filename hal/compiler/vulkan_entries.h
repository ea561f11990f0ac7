/* The entries of kernels in the variant "spirv-vulkan+offset", for Vulkan devices without addresses. */
#pragma once

#include "frontend.h"

namespace qiao::compiler {

/* Text to be put behind the source: for every kernel `k` an entry `k__at` that takes a pointer to the beginning of a buffer and
 * a ulong byte offset in place of each address argument; UINT64_MAX is a null pointer. Fails where there would be too many cases. */
Outcome<std::string> vulkan_entries(const FrontEnd& front_end);

} // namespace qiao::compiler
