/* What a source is: whether it compiles, what its kernels look like, which features they need. */
#pragma once

#include "options.h"
#include "process.h"
#include "temporary.h"

namespace qiao::compiler {

/* What the manifest does not say of a kernel. */
struct KernelTraits {
    uint32_t subgroup = 0;        /* the subgroup size it insists on; 0 = none */
    bool local_variables = false; /* declares some, also ones that an optimiser removes */
};

/* How a kernel uses an argument that is a pointer. */
struct PointerTraits {
    bool unused = false;
    bool compared = false; /* with null */
};

struct FrontEnd {
    std::vector<package::Kernel> kernels; /* laid out, in the order of the source */
    std::vector<KernelTraits> traits;     /* of the kernels */
    std::string log;                      /* warnings */
    std::string tool;                     /* "clang-15.0.6" */
    qiao_features features = 0;           /* of all kernels together */
    std::vector<std::vector<PointerTraits>> pointers; /* [kernel][argument]; nothing is known of values */
};

/* Compiles the complete source at `path` for diagnostics and reflection. */
Outcome<FrontEnd> run_front_end(const std::string& path, const Options& options, const TemporaryDirectory& temporary,
                                Deadline deadline);

/* Runs qiao-kernel-reflect; its JSON text. */
Outcome<std::string> run_reflector(std::vector<std::string> words, const TemporaryDirectory& temporary,
                                   Deadline deadline);

/* A tool that did not do its work: out of time, crashed, or `log` says why. */
Failure tool_failure(const std::string& tool, const Finished& finished, std::string log);

} // namespace qiao::compiler
