/* Programs, their kernels, and kernels with a shape that only want arguments. */
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arguments.h"
#include "objects.h"

namespace qiao::python {

struct ProgramObject {
    std::shared_ptr<DeviceObject> device;
    Program program;
};

struct KernelObject {
    std::shared_ptr<ProgramObject> program; /* keeps the kernel alive */
    Kernel kernel;
    Signature signature;

    DeviceObject& device() const { return *program->device; }
};

/* What `kernel[grid, group]` is: called with arguments, it launches. */
struct LaunchObject {
    std::shared_ptr<KernelObject> kernel;
    Shape shape;
};

std::shared_ptr<ProgramObject> compile(DeviceObject& device, const std::string& source, const std::string& options, const std::string& name);
std::shared_ptr<ProgramObject> load(DeviceObject& device, const py::object& package, const std::string& name);
/* What the device makes of each variant of a package. */
py::list explain(DeviceObject& device, const py::object& package);

} // namespace qiao::python
