/* How clang is called on OpenCL C: the same words for the judge of a source and for every variant that clang makes. */
#pragma once

#include "options.h"
#include "process.h"
#include "temporary.h"

namespace qiao::compiler {

/* A compilation for `target`; the caller adds what to make, the source and the output. */
Command clang_command(const std::string& clang, const std::string& target, const Options& options,
                      const TemporaryDirectory& temporary);

} // namespace qiao::compiler
