/* What all files of the binding share: pybind11, the C++ layer it stands on, and one function for each of them, called in
 * this order by module.cpp. Types are known to Python before a function is that gives one. */
#pragma once

#include <pybind11/pybind11.h>

#include "qiao/qiao.hpp"

namespace qiao::python {

namespace py = pybind11;

void bind_errors(py::module_& module);
void bind_timeline(py::module_& module);
void bind_queue(py::module_& module);
void bind_array(py::module_& module);
void bind_pool(py::module_& module);
void bind_kernel(py::module_& module);
void bind_sharing(py::module_& module);
void bind_device(py::module_& module);
void bind_dlpack(py::module_& module);
void bind_topology(py::module_& module);
void bind_instance(py::module_& module);

} // namespace qiao::python
