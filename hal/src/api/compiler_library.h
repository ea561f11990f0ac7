// The compiler, opened when something is compiled for the first time: it lies beside libqiao, and is never closed.
#pragma once

#include "object/error.h"
#include "qiao/compiler.h"

namespace qiao {

struct CompilerLibrary {
    qiao_compiler_compile_fn compile = nullptr;
    qiao_compiler_output_query_fn query = nullptr;
    qiao_compiler_output_release_fn release = nullptr;
};

// UNSUPPORTED, with the loader's own words, if it is not installed.
qiao_status open_compiler(const CompilerLibrary** out_library);

}  // namespace qiao
