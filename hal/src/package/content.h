/* What a variant's bytes must look like for its format to be believed: magic numbers, the machine, the entry of each kernel. Known
 * formats only; a vendor's own ones pass. A binary for another machine is found out here, before a driver sees it. */
#pragma once

#include <optional>

#include "package/package.h"

namespace qiao::package {

/* Nothing, or why the bytes are not what the variant says. */
std::optional<Error> check_content(const Variant& variant, const std::vector<Kernel>& kernels, std::span<const std::byte> bytes);

} // namespace qiao::package
