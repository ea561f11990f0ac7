/* DLPack, the protocol by which array libraries hand memory to each other without knowing each other: version 1 and the
 * capsules of before. Memory that the host reaches goes out as the host's own; other memory as that of an extension's device,
 * with the address as its pointer. What comes in from others is host memory, which NumPy takes apart. */
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <utility>

#include "array.h"
#include "errors.h"

namespace qiao::python {
namespace {

/* The protocol's own layout (dlpack.h, version 1.1). */
namespace dl {

enum DeviceType : int32_t { kCpu = 1, kExtension = 12 };
enum Code : uint8_t { kInt = 0, kUint = 1, kFloat = 2, kBfloat = 4, kComplex = 5, kBool = 6 };

struct Device {
    int32_t type;
    int32_t id;
};
struct DataType {
    uint8_t code;
    uint8_t bits;
    uint16_t lanes;
};
struct Tensor {
    void* data;
    Device device;
    int32_t ndim;
    DataType dtype;
    int64_t* shape;
    int64_t* strides; /* in elements */
    uint64_t byte_offset;
};
struct Managed {
    Tensor tensor;
    void* context;
    void (*deleter)(Managed*);
};
struct Version {
    uint32_t major;
    uint32_t minor;
};
struct ManagedVersioned {
    Version version;
    void* context;
    void (*deleter)(ManagedVersioned*);
    uint64_t flags;
    Tensor tensor;
};

constexpr Version kVersion = {1, 1};
constexpr uint64_t kReadOnly = 1;

} // namespace dl

/* The exported tensor and what it needs; deleted by its consumer, on any thread. */
template <class Exported>
struct Export {
    Exported managed{};
    std::shared_ptr<MemoryObject> memory;
    std::vector<int64_t> shape, strides;

    static void destroy(Exported* managed) {
        if (Py_IsInitialized() == 0) return; // the interpreter is gone, and what it held with it
        const py::gil_scoped_acquire python;
        delete static_cast<Export*>(managed->context);
    }
};

[[noreturn]] void raise_buffer_error(const std::string& message) { throw py::buffer_error(message); }

dl::DataType type_of(const ArrayObject& array) {
    const auto bits = static_cast<uint8_t>(array.item_size * 8);
    switch (array.kind) {
        case 'i': return {dl::kInt, bits, 1};
        case 'u': return {dl::kUint, bits, 1};
        case 'f': return {dl::kFloat, bits, 1};
        case 'c': return {dl::kComplex, bits, 1};
        case 'b': return {dl::kBool, bits, 1};
        default: break;
    }
    const auto name = array.dtype.attr("name").cast<std::string>();
    if (name == "bfloat16") return {dl::kBfloat, bits, 1};
    constexpr std::pair<const char*, uint8_t> kSmallFloats[] = {{"float8_e3m4", 7},     {"float8_e4m3", 8},      {"float8_e4m3b11fnuz", 9},
                                                                {"float8_e4m3fn", 10},  {"float8_e4m3fnuz", 11}, {"float8_e5m2", 12},
                                                                {"float8_e5m2fnuz", 13}, {"float8_e8m0fnu", 14}};
    for (const auto& [known, code] : kSmallFloats)
        if (name == known) return {code, bits, 1};
    raise_buffer_error("DLPack has no type for elements of " + py::str(array.dtype).cast<std::string>());
}

bool is_on_host(const ArrayObject& array) { return array.memory->host_pointer != nullptr; }

dl::Device device_of(const ArrayObject& array) {
    if (is_on_host(array)) return {dl::kCpu, 0};
    const DeviceObject& device = *array.memory->device;
    int32_t index = 0; // its place in the instance's list
    for (const DeviceObject& each : device.instance->devices) {
        if (&each == &device) break;
        ++index;
    }
    return {dl::kExtension, index};
}

template <class Exported>
py::capsule export_as(const ArrayObject& array, const char* name, void (*finish)(Exported&, const ArrayObject&)) {
    auto exported = std::make_unique<Export<Exported>>();
    exported->memory = array.memory;
    exported->shape.assign(array.shape.begin(), array.shape.end());
    for (const py::ssize_t stride : array.strides) {
        if (stride % static_cast<py::ssize_t>(array.item_size) != 0)
            raise_buffer_error("DLPack counts strides in elements; one of " + std::to_string(stride) + " bytes is no multiple of " + std::to_string(array.item_size));
        exported->strides.push_back(stride / static_cast<py::ssize_t>(array.item_size));
    }
    uint64_t data = array.address;
    if (is_on_host(array)) data = reinterpret_cast<uintptr_t>(array.memory->host_pointer) + (array.address - array.memory->address);
    exported->managed.tensor = {reinterpret_cast<void*>(data),    device_of(array), static_cast<int32_t>(array.shape.size()), type_of(array), exported->shape.data(),
                                exported->strides.data(), 0};
    exported->managed.context = exported.get();
    exported->managed.deleter = &Export<Exported>::destroy;
    finish(exported->managed, array);
    // Whoever takes the tensor renames the capsule; one that nobody took gives it back.
    PyObject* capsule = PyCapsule_New(&exported->managed, name, [](PyObject* self) {
        const char* current = PyCapsule_GetName(self);
        if (current == nullptr || std::string_view(current).starts_with("used_")) return;
        auto* managed = static_cast<Exported*>(PyCapsule_GetPointer(self, current));
        managed->deleter(managed);
    });
    if (capsule == nullptr) throw py::error_already_set();
    static_cast<void>(exported.release());
    return py::reinterpret_steal<py::capsule>(capsule);
}

using Pair = std::pair<int64_t, int64_t>;

py::object to_dlpack(const ArrayObject& self, const py::object& stream, const std::optional<Pair>& max_version, const std::optional<Pair>& dl_device,
                     std::optional<bool> copy) {
    self.check_usable("the array");
    const dl::Device here = device_of(self);
    const bool wants_host = dl_device && dl_device->first == dl::kCpu;
    if (dl_device && !wants_host && *dl_device != Pair(here.type, here.id))
        raise_buffer_error("the array is on device (" + std::to_string(here.type) + ", " + std::to_string(here.id) + "), and goes to the host only");
    if (copy.value_or(false) || (wants_host && here.type != dl::kCpu)) {
        if (copy && !*copy) raise_buffer_error("an array of " + self.memory->device->id + " reaches the host by a copy only");
        // The copy is NumPy's, which hands it on under the same protocol.
        py::dict words;
        if (max_version) words["max_version"] = *max_version;
        return py::cast(self).attr("numpy")().attr("__dlpack__")(**words);
    }
    if (!stream.is_none() && here.type == dl::kCpu) raise_buffer_error("host memory has no stream; pass None");
    self.memory->use_on_host();
    py::cast(self.memory->device->share_queue()).attr("synchronize")(); // the consumer's first access follows all that was queued
    if (max_version && max_version->first >= 1) {
        return export_as<dl::ManagedVersioned>(self, "dltensor_versioned", [](dl::ManagedVersioned& managed, const ArrayObject& array) {
            managed.version = dl::kVersion;
            managed.flags = array.is_writable ? 0 : dl::kReadOnly;
        });
    }
    if (!self.is_writable) raise_buffer_error("a read-only array needs a consumer of DLPack 1.0 or later");
    return export_as<dl::Managed>(self, "dltensor", [](dl::Managed&, const ArrayObject&) {});
}

py::object from_dlpack(DeviceObject& device, const py::object& source, std::optional<bool> copy) {
    if (py::isinstance<ArrayObject>(source)) {
        const auto& array = source.cast<const ArrayObject&>();
        if (array.memory->device.get() == &device && !copy.value_or(false)) return source;
    }
    if (copy && !*copy) raise_buffer_error("memory of others reaches " + device.id + " by a copy only");
    if (!py::hasattr(source, "__dlpack__")) raise_type_error("'" + type_name(source) + "' has no __dlpack__");
    const py::object host = py::isinstance<ArrayObject>(source) ? source.attr("numpy")() : py::module_::import("numpy").attr("from_dlpack")(source);
    return py::cast(array(device, host, py::none()));
}

} // namespace

void bind_dlpack(py::module_& module) {
    py::object array = module.attr("Array");
    array.attr("__dlpack__") = py::cpp_function(&to_dlpack, py::is_method(array), py::kw_only(), py::arg("stream") = py::none(), py::arg("max_version") = py::none(),
                                                py::arg("dl_device") = py::none(), py::arg("copy") = py::none());
    array.attr("__dlpack_device__") = py::cpp_function([](const ArrayObject& self) {
        const dl::Device device = device_of(self);
        return py::make_tuple(device.type, device.id);
    }, py::is_method(array));
    py::object device = module.attr("Device");
    device.attr("from_dlpack") = py::cpp_function(&from_dlpack, py::is_method(device), py::arg("source"), py::kw_only(), py::arg("copy") = py::none(),
                                                  "An array with the values of any object of the DLPack protocol; of this device's own arrays the same memory.");
}

} // namespace qiao::python
