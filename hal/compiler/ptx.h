/* The variant "ptx": assembly text for NVIDIA's cards, which their driver finishes. */
#pragma once

#include "frontend.h"

namespace qiao::compiler {

/* Metadata of each kernel: hal/docs/packages.md, "ptx". */
Outcome<std::vector<BuiltVariant>> build_ptx(const std::string& path, const Options& options, const FrontEnd& front_end,
                                             const TemporaryDirectory& temporary, Deadline deadline);

} // namespace qiao::compiler
