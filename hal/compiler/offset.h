/* The variant "opencl-c+offset", for devices without addresses: the same source, with a wrapper `k__at` behind every kernel
 * `k` that takes a (buffer, ulong byte offset) pair in place of each address argument. */
#pragma once

#include "frontend.h"

namespace qiao::compiler {

/* The source with its wrappers at the end, seen only where QIAO_OFFSET is defined; compiled once to see that they fit. */
Outcome<std::string> add_offset_wrappers(std::string source, const Options& options, const FrontEnd& front_end,
                                         const TemporaryDirectory& temporary, Deadline deadline);

} // namespace qiao::compiler
