/* How failures reach Python: qiao::Error becomes the class of qiao/errors.py that belongs to its status. What this binding
 * finds out itself is raised by one of the functions below. */
#pragma once

#include <string>

#include "binding.h"

namespace qiao::python {

/* A failure of the core's kind that was found on this side, as its Python class. */
[[noreturn]] void raise(qiao_status status, const std::string& message, const std::string& remedy = "", const std::string& object = "");
/* Python's own classes, for what is wrong with the call rather than with the device. */
[[noreturn]] void raise_type_error(const std::string& message);
[[noreturn]] void raise_value_error(const std::string& message);

/* "ndarray", "int": what the message calls an object that was not expected. */
std::string type_name(py::handle object);

} // namespace qiao::python
