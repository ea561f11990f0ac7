/* The variant "spirv-opencl": SPIR-V 1.2 with the Kernel capability, for OpenCL drivers that take an intermediate language. */
#pragma once

#include "frontend.h"

namespace qiao::compiler {

Outcome<std::vector<BuiltVariant>> build_spirv_opencl(const std::string& path, const Options& options,
                                                      const FrontEnd& front_end, const TemporaryDirectory& temporary,
                                                      Deadline deadline);

} // namespace qiao::compiler
