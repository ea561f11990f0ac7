/* The variant "amdgcn": a code object for AMD's gfx906 cards. */
#pragma once

#include "frontend.h"

namespace qiao::compiler {

/* Metadata of each kernel: hal/docs/packages.md, "amdgcn". */
Outcome<std::vector<BuiltVariant>> build_amdgcn(const std::string& path, const Options& options, const FrontEnd& front_end,
                                                const TemporaryDirectory& temporary, Deadline deadline);

} // namespace qiao::compiler
