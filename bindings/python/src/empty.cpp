/* Device.empty and Pool.empty: programs make arrays in their inner loops, and the general dispatch of pybind11 costs more than the array. So
 * these methods read their arguments and make their result themselves. */
#include <array>
#include <memory>
#include <utility>

#include "array.h"
#include "errors.h"

namespace qiao::python {
namespace {

constexpr const char* kDeviceDoc =
    "empty($self, /, shape, dtype='float32', *, kind='device')\n--\n\n"
    "An array of that shape, its contents undefined. `kind`: \"device\", \"host\" or \"shared\".";

constexpr const char* kPoolDoc =
    "empty($self, /, shape, dtype='float32', *, queue=None)\n--\n\n"
    "An array of the pool's memory, in the order of the queue (the device's own if none is given), its contents undefined.";

struct Given {
    PyObject* shape = nullptr;
    PyObject* dtype = nullptr;  /* null = float32 */
    PyObject* option = nullptr; /* null = the default */
};

/* As Python reads `empty(shape, dtype="float32", *, kind="device")`, or another option than `kind`. */
Given read(PyObject* const* values, Py_ssize_t positional, PyObject* names, const char* option) {
    Given given;
    if (positional > 2) raise_type_error("empty() takes a shape and a dtype by position, " + std::to_string(positional) + " arguments were given");
    if (positional > 0) given.shape = values[0];
    if (positional > 1) given.dtype = values[1];
    const Py_ssize_t named = names == nullptr ? 0 : PyTuple_GET_SIZE(names);
    for (Py_ssize_t i = 0; i < named; ++i) {
        PyObject* const name = PyTuple_GET_ITEM(names, i);
        const auto is = [&](const char* wanted) { return PyUnicode_CompareWithASCIIString(name, wanted) == 0; };
        PyObject** const place = is("shape") ? &given.shape : is("dtype") ? &given.dtype : is(option) ? &given.option : nullptr;
        if (place == nullptr) raise_type_error("empty() has no argument '" + py::handle(name).cast<std::string>() + "'");
        if (*place != nullptr) raise_type_error("empty() was given '" + py::handle(name).cast<std::string>() + "' twice");
        *place = values[positional + i];
    }
    if (given.shape == nullptr) raise_type_error("empty() needs a shape");
    return given;
}

/* The Python object of an array that `empty` made. It differs from one of py::cast() in two ways. pybind11 does not enter it into its list of
 * instances: that finds the Python object of a C++ object which is known by its address, and nobody else has the address of this one. And
 * when it is gone its memory is kept for the next, as Python does with its own small objects. Used under the GIL. */
class Shell {
  public:
    static const py::detail::type_info* type() {
        static const py::detail::type_info* const type = py::detail::get_type_info(typeid(ArrayObject), true);
        return type;
    }

    /* Room for an ArrayObject in a Python object that nobody refers to yet. */
    Shell() : object_(spare_count == 0 ? make() : PyObject_Init(spares[--spare_count], type()->type)) {}
    ~Shell() {
        if (object_ != nullptr) put_away(object_);
    }
    Shell(const Shell&) = delete;
    Shell& operator=(const Shell&) = delete;

    void* room() const { return parts(object_).value_ptr(); }
    /* The room has been filled. */
    PyObject* release() { return std::exchange(object_, nullptr); }

    /* In place of pybind11's destructor, which looks for bases, dictionary, list entry and what is kept alive. */
    static void destroy(PyObject* object) {
        const auto* instance = reinterpret_cast<py::detail::instance*>(object);
        if (Py_TYPE(object) != type()->type || instance->simple_instance_registered || instance->has_patients || instance->weakrefs != nullptr ||
            !parts(object).holder_constructed())
            return py::detail::pybind11_object_dealloc(object);
        parts(object).value_ptr<ArrayObject>()->~ArrayObject();
        put_away(object);
    }

  private:
    static py::detail::value_and_holder parts(PyObject* object) {
        return reinterpret_cast<py::detail::instance*>(object)->get_value_and_holder();
    }
    static PyObject* make() {
        PyObject* const object = py::detail::make_new_instance(type()->type);
        auto place = parts(object);
        place.value_ptr() = ::operator new(sizeof(ArrayObject));
        new (&place.holder<ArrayClass::holder_type>()) ArrayClass::holder_type(place.value_ptr<ArrayObject>());
        place.set_holder_constructed();
        return object;
    }
    /* Its room is empty. */
    static void put_away(PyObject* object) {
        PyTypeObject* const of = Py_TYPE(object);
        if (spare_count < spares.size()) {
            spares[spare_count++] = object;
        } else {
            static_cast<void>(parts(object).holder<ArrayClass::holder_type>().release());
            ::operator delete(parts(object).value_ptr());
            of->tp_free(object);
        }
        Py_DECREF(of);
    }

    static inline std::array<PyObject*, 16> spares{};
    static inline size_t spare_count = 0;

    PyObject* object_;
};

/* How each class does it; the holder of a device is not needed, that of a pool is what arrays keep. */
struct OfDevice {
    using Self = DeviceObject;
    static constexpr const char* kOption = "kind";
    static constexpr const char* kNone = "the device was made by Device.__new__; take one of qiao.devices()";
    static ArrayObject make(py::detail::value_and_holder& self, const Given& given, py::handle dtype) {
        const MemoryKind kind = given.option == nullptr ? MemoryKind::kDevice : kind_of(given.option);
        return empty(*self.value_ptr<DeviceObject>(), given.shape, dtype, MemoryOptions{kind});
    }
};
struct OfPool {
    using Self = PoolObject;
    static constexpr const char* kOption = "queue";
    static constexpr const char* kNone = "the pool was made by Pool.__new__; take one of device.pool()";
    static ArrayObject make(py::detail::value_and_holder& self, const Given& given, py::handle dtype) {
        return empty(self.holder<std::shared_ptr<PoolObject>>(), given.shape, dtype, given.option == nullptr ? py::handle(Py_None) : given.option);
    }
};

template <class Of>
PyObject* empty_method(PyObject* object, PyObject* const* values, Py_ssize_t positional, PyObject* names) {
    try {
        static const py::str kFloat32("float32");
        const Given given = read(values, positional, names, Of::kOption);
        py::detail::value_and_holder self = reinterpret_cast<py::detail::instance*>(object)->get_value_and_holder();
        if (self.value_ptr<typename Of::Self>() == nullptr) raise_type_error(Of::kNone);
        const py::handle dtype = given.dtype == nullptr ? py::handle(kFloat32) : given.dtype;
        Shell shell;
        new (shell.room()) ArrayObject(Of::make(self, given, dtype)); // made in place
        return shell.release();
    } catch (...) {
        py::detail::try_translate_exceptions();
        return nullptr;
    }
}

template <class Of>
PyMethodDef method(const char* doc) {
    return {"empty", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&empty_method<Of>)), METH_FASTCALL | METH_KEYWORDS, doc};
}

void add_method(py::handle type, PyMethodDef& method) {
    const auto made = py::reinterpret_steal<py::object>(PyDescr_NewMethod(reinterpret_cast<PyTypeObject*>(type.ptr()), &method));
    if (!made) throw py::error_already_set();
    type.attr("empty") = made;
}

} // namespace

void bind_empty(py::handle device) {
    static PyMethodDef of_device = method<OfDevice>(kDeviceDoc);
    add_method(device, of_device);
    Shell::type()->type->tp_dealloc = &Shell::destroy;
}

void bind_pool_empty(py::handle pool) {
    static PyMethodDef of_pool = method<OfPool>(kPoolDoc);
    add_method(pool, of_pool);
}

} // namespace qiao::python
