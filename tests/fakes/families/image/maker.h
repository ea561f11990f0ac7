/* Makes the images that the fake libraries take, out of the host code in a kernel package. */
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "image/format.h"
#include "package/package.h"

namespace fakes::image {

/* The package with a variant of the family's format beside the others, made of its host-elf variant that suits any processor best; nothing, with
 * the reason, where it has none or one is there already. */
std::optional<std::vector<std::byte>> with_variant(const qiao::package::Package& package, const Style& style, std::string& reason);

} // namespace fakes::image
