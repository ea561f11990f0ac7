/* AMD's code objects: ELF files with a note that describes their kernels in MessagePack. */
#pragma once

#include <map>
#include <string>

#include "agreement.h"

namespace qiao::compiler {

struct CodeObjectKernel : SeenKernel { /* without its hidden arguments */
    uint64_t static_local_bytes = 0;
    uint64_t largest_group = 0;
};

/* By kernel; fails for what is no such file. */
Outcome<std::map<std::string, CodeObjectKernel>> read_code_object(const std::string& bytes);

} // namespace qiao::compiler
