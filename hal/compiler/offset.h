/* The variant "opencl-c+offset", for devices without addresses: the same source, with an entry `k__at` for every kernel `k`
 * that takes a (buffer, ulong byte offset) pair in place of each address argument. */
#pragma once

#include "frontend.h"

namespace qiao::compiler {

/* The source, which stands at `path`, with its entries, seen only where QIAO_OFFSET is defined; compiled once to see that
 * they fit. */
Outcome<std::string> add_offset_entries(std::string source, const std::string& path, const Options& options,
                                        const FrontEnd& front_end, const TemporaryDirectory& temporary,
                                        Deadline deadline);

} // namespace qiao::compiler
