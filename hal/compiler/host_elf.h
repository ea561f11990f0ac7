/* Variants of format "host-elf": one shared library per CPU level with an entry for each kernel, made with PoCL. */
#pragma once

#include "frontend.h"

namespace qiao::compiler {

/* From the complete source at `path`. Metadata of each kernel: hal/docs/packages.md, "host-elf". */
Outcome<std::vector<BuiltVariant>> build_host_elf(const std::string& path, const Options& options,
                                                  const FrontEnd& front_end, const TemporaryDirectory& temporary,
                                                  Deadline deadline);

} // namespace qiao::compiler
