/* Runs a kernel under oclgrind, a simulator of an OpenCL device that checks every access to memory. */
#pragma once

#include <string>

#include "cli/run/options.h"

namespace qiao::cli {

/* What oclgrind wrote while the kernel ran. Throws Failure if it is not installed, or the kernel could not be run. */
std::string simulate(const KernelOptions& options);

} // namespace qiao::cli
