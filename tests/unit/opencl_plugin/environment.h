// The OpenCL driver under test, chosen before the first OpenCL call of the process.
#pragma once

namespace test {

// Only PoCL is visible, and compiles into a directory of this process that is removed at its end.
void use_pocl();

} // namespace test
