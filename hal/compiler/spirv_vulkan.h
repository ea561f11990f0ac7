/* Vulkan variants: one SPIR-V 1.5 module for every Vulkan device with device addresses, made by clspv. */
#pragma once

#include "frontend.h"

namespace qiao::compiler {

/* Builds the variant of the complete source at `path`, whose kernels `front_end` describes. Each kernel's metadata says what
 * the plugin has to know (hal/docs/packages.md, "spirv-vulkan"). */
Outcome<std::vector<BuiltVariant>> build_spirv_vulkan(const std::string& path, const Options& options,
                                                      const FrontEnd& front_end, const TemporaryDirectory& temporary,
                                                      Deadline deadline);

} // namespace qiao::compiler
