/* The arguments of kernels as a SPIR-V module for OpenCL declares them. */
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agreement.h"

namespace qiao::compiler::spirv {

/* By kernel. */
std::map<std::string, std::vector<SeenArgument>> kernel_arguments(const std::vector<uint32_t>& words);

} // namespace qiao::compiler::spirv
