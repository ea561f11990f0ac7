#include "errors.h"

namespace qiao::python {
namespace {

/* qiao.errors.error_of(status, ...) makes the exception; the classes are written in Python. */
void set_python_error(const ErrorRecord& record) {
    try {
        const py::object error = py::module_::import("qiao.errors")
                                     .attr("error_of")(record.status, record.message, record.remedy, record.object, record.plugin,
                                                       record.vendor_code, record.vendor_text, record.log, record.line);
        PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.ptr())), error.ptr());
    } catch (py::error_already_set& failed) {
        failed.restore(); // out of memory, or an interpreter that ends: better than the wrong error
    }
}

} // namespace

void raise(qiao_status status, const std::string& message, const std::string& remedy, const std::string& object) {
    ErrorRecord record;
    record.status = status;
    record.message = message;
    record.remedy = remedy;
    record.object = object;
    set_python_error(record);
    throw py::error_already_set();
}

void raise_type_error(const std::string& message) { throw py::type_error(message); }
void raise_value_error(const std::string& message) { throw py::value_error(message); }

std::string type_name(py::handle object) { return Py_TYPE(object.ptr())->tp_name; }

void bind_errors(py::module_&) {
    py::register_exception_translator([](std::exception_ptr thrown) {
        try {
            if (thrown) std::rethrow_exception(thrown);
        } catch (const Error& error) {
            set_python_error(error.record());
        }
    });
}

} // namespace qiao::python
