/* The kernels of the tests: OpenCL C, one piece per kernel, and the same as a package for devices that take source or are
 * fixtures with the kernels built in. */
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include <cstddef>

namespace api {

// The OpenCL C of the named kernels.
std::string source_of(std::initializer_list<const char*> names);

// A package with the variants "opencl-c" (the source) and "fixture".
std::vector<std::byte> package_of(std::initializer_list<const char*> names);

}  // namespace api
