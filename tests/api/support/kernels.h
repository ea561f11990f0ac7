/* The kernels of the tests: OpenCL C, one piece per kernel, and the same as a package for devices that take source or are
 * fixtures with the kernels built in. */
#pragma once

#include <string>
#include <vector>

#include <cstddef>

namespace api {

using Names = std::vector<const char*>;

// Those that every device runs, in the order of a program of them all.
Names portable_kernels();
// The same, and three that only fixtures have: `hold` runs until a word is not 0, `fail` fails, `lose` loses the device.
Names fixture_kernels();

// The OpenCL C of the named kernels.
std::string source_of(const Names& names);

// A package with the variants "opencl-c" (the source) and "fixture".
std::vector<std::byte> package_of(const Names& names);
// Whole and sound, with a variant that no device takes.
std::vector<std::byte> foreign_package();

}  // namespace api
