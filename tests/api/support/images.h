/* Binaries for the fake libraries of card families, whose cards have no compiler of their own. */
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace api {

// Whether QIAO_TEST_IMAGES names families: "cu,hip".
bool makes_images();

// The package with a variant for each of these families, made of `source` compiled for the host; as it is where the variable is not
// set, or the source lacks one of the kernels.
std::vector<std::byte> with_image(std::vector<std::byte> package, const std::string& source);

}  // namespace api
