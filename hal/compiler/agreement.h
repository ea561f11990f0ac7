/* What a finished variant says of its kernels' arguments, held against the package. Plugins pass arguments by the package's
 * description alone, so a variant that was laid out otherwise would read wrong values. */
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "failure.h"

namespace qiao::compiler {

struct SeenArgument {
    qiao_argument_kind kind = QIAO_ARGUMENT_KIND_VALUE;
    uint64_t size = 0; /* of a value in bytes; ignored otherwise */
};

struct SeenKernel {
    std::vector<SeenArgument> arguments;
    std::vector<uint32_t> local_alignments; /* of what local arguments point to, in their order */

    std::string locals() const; /* metadata: "locals=16,4" */
};

/* Nothing, or where the variant and the package differ. */
std::optional<Failure> check_agreement(std::string_view format, const package::Kernel& kernel,
                                       const std::vector<SeenArgument>& seen);

/* The kernel is not in the variant. */
Failure kernel_missing(std::string_view format, const package::Kernel& kernel);

} // namespace qiao::compiler
