/* PTX as clang writes it, read and mended. Knows the text only; what a package's kernels are is ptx.cpp's. */
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agreement.h"

namespace qiao::compiler::ptx {

struct Module {
    std::string text;
    std::map<std::string, SeenKernel> kernels;
    std::vector<std::string> undefined; /* functions that are called and not there, by their names in OpenCL C */
};

/* Reads the text and mends it for CUDA's driver:
 * - entries become visible;
 * - a local argument, which clang takes for an address in shared memory, becomes an offset into the one dynamic array;
 * - what is constant moves to global memory, since an address that is passed can only be there.
 * Fails where the text has another form than clang-15 gives it. */
Outcome<Module> read(std::string_view text);

} // namespace qiao::compiler::ptx
