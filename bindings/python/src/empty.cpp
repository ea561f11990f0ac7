/* Device.empty: programs make arrays in their inner loops, and the general dispatch of pybind11 costs more than the array. So
 * this one method reads its arguments and makes its result itself. */
#include <memory>

#include "array.h"
#include "errors.h"

namespace qiao::python {
namespace {

constexpr const char* kDoc =
    "empty($self, /, shape, dtype='float32', *, kind='device')\n--\n\n"
    "An array of that shape, its contents undefined. `kind`: \"device\", \"host\" or \"shared\".";

struct Given {
    PyObject* shape = nullptr;
    PyObject* dtype = nullptr; /* null = float32 */
    PyObject* kind = nullptr;  /* null = device */
};

/* As Python reads `empty(shape, dtype="float32", *, kind="device")`. */
Given read(PyObject* const* values, Py_ssize_t positional, PyObject* names) {
    Given given;
    if (positional > 2) raise_type_error("empty() takes a shape and a dtype by position, " + std::to_string(positional) + " arguments were given");
    if (positional > 0) given.shape = values[0];
    if (positional > 1) given.dtype = values[1];
    const Py_ssize_t named = names == nullptr ? 0 : PyTuple_GET_SIZE(names);
    for (Py_ssize_t i = 0; i < named; ++i) {
        PyObject* const name = PyTuple_GET_ITEM(names, i);
        const auto is = [&](const char* wanted) { return PyUnicode_CompareWithASCIIString(name, wanted) == 0; };
        PyObject** const place = is("shape") ? &given.shape : is("dtype") ? &given.dtype : is("kind") ? &given.kind : nullptr;
        if (place == nullptr) raise_type_error("empty() has no argument '" + py::handle(name).cast<std::string>() + "'");
        if (*place != nullptr) raise_type_error("empty() was given '" + py::handle(name).cast<std::string>() + "' twice");
        *place = values[positional + i];
    }
    if (given.shape == nullptr) raise_type_error("empty() needs a shape");
    return given;
}

/* What py::cast() does, but that pybind11 does not enter the array into its list of instances: that finds the Python object of a C++
 * object which is known by its address, and nobody else has the address of this one. */
PyObject* wrap(std::unique_ptr<ArrayObject> made) {
    static const py::detail::type_info* const type = py::detail::get_type_info(typeid(ArrayObject), true);
    PyObject* const object = py::detail::make_new_instance(type->type);
    auto place = reinterpret_cast<py::detail::instance*>(object)->get_value_and_holder();
    place.value_ptr() = made.get();
    new (&place.holder<ArrayClass::holder_type>()) ArrayClass::holder_type(std::move(made));
    place.set_holder_constructed();
    return object;
}

PyObject* empty_method(PyObject* self, PyObject* const* values, Py_ssize_t positional, PyObject* names) {
    try {
        static const py::str kFloat32("float32");
        const Given given = read(values, positional, names);
        auto* const device = reinterpret_cast<py::detail::instance*>(self)->get_value_and_holder().value_ptr<DeviceObject>();
        if (device == nullptr) raise_type_error("the device was made by Device.__new__; take one of qiao.devices()");
        const MemoryKind kind = given.kind == nullptr ? MemoryKind::kDevice : kind_of(given.kind);
        const py::handle dtype = given.dtype == nullptr ? py::handle(kFloat32) : given.dtype;
        return wrap(std::unique_ptr<ArrayObject>(new ArrayObject(empty(*device, given.shape, dtype, kind)))); // made in place
    } catch (...) {
        py::detail::try_translate_exceptions();
        return nullptr;
    }
}

PyMethodDef method = {"empty", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&empty_method)), METH_FASTCALL | METH_KEYWORDS, kDoc};

} // namespace

void bind_empty(py::handle device) {
    const auto made = py::reinterpret_steal<py::object>(PyDescr_NewMethod(reinterpret_cast<PyTypeObject*>(device.ptr()), &method));
    if (!made) throw py::error_already_set();
    device.attr("empty") = made;
}

} // namespace qiao::python
