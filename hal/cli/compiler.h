/* The kernel compiler as the commands use it: opened by name, as the core does it, so that a missing one is a finding and not
 * a failure to start. */
#pragma once

#include <memory>
#include <string>

#include "qiao/compiler.h"

namespace qiao::cli {

using CompilerOutput = std::unique_ptr<qiao_compiler_output, qiao_compiler_output_release_fn>;

struct CompilerLibrary {
    qiao_compiler_check_fn check = nullptr;
    qiao_compiler_compile_fn compile = nullptr;
    qiao_compiler_get_formats_fn formats = nullptr;
    qiao_compiler_output_query_fn query = nullptr;
    qiao_compiler_output_release_fn release = nullptr;

    /* Whether it is there; else `out_reason` says why not. */
    bool open(std::string& out_reason);
    CompilerOutput own(qiao_compiler_output* output) const { return {output, release}; }
};

} // namespace qiao::cli
