/* Memory and timelines handed to other processes, and host memory used where it lies. What is handed over is a qiao.Handle
 * (sharing.py), which Python code can send. */
#include <cstring>

#include "array.h"
#include "errors.h"

namespace qiao::python {
namespace {

py::object handle_of(const ExportedHandle& exported) {
    const py::bytes data(reinterpret_cast<const char*>(&exported.handle), sizeof exported.handle);
    return py::module_::import("qiao.sharing").attr("Handle")(data, exported.descriptor);
}

ExportedHandle read(const py::object& handle) {
    const auto data = handle.attr("data").cast<std::string>();
    ExportedHandle exported;
    if (data.size() != sizeof exported.handle)
        raise_value_error("the handle has " + std::to_string(data.size()) + " bytes; handles have " + std::to_string(sizeof exported.handle));
    std::memcpy(&exported.handle, data.data(), data.size());
    exported.descriptor = handle.attr("fileno")().cast<int32_t>();
    return exported;
}

py::object export_array(const ArrayObject& self) {
    self.check_usable("the array");
    if (!self.memory->memory)
        raise(QIAO_ERROR_INVALID_ARGUMENT, "the array is of a pool's memory, which is not shared", "make it with Device.shareable");
    return handle_of(self.memory->memory.export_handle());
}

ArrayObject shareable(DeviceObject& self, const py::object& shape, const py::object& dtype, const py::object& kind) {
    MemoryOptions options{kind_of(kind)};
    options.shareable = true;
    return empty(self, shape, dtype, options);
}

ArrayObject over(DeviceObject& device, ArrayObject made, Memory memory, py::object lender) {
    made.memory = std::make_shared<MemoryObject>(device, std::move(memory), std::move(lender));
    made.address = made.memory->address;
    return made;
}

ArrayObject import_memory(DeviceObject& self, const py::object& handle, const py::object& shape, const py::object& dtype) {
    const ArrayObject made = lay_out(shape, dtype);
    Memory memory = Memory::import_handle(self.device, read(handle));
    if (made.size_bytes() > memory.size_bytes())
        raise_value_error("an array of " + std::to_string(made.size_bytes()) + " bytes does not fit the memory of " + std::to_string(memory.size_bytes()));
    return over(self, made, std::move(memory), py::object());
}

ArrayObject import_host(DeviceObject& self, const py::object& values) {
    // Not numpy.asarray, which copies what is no array.
    const py::array host = py::isinstance<py::array>(values) ? values : py::module_::import("numpy").attr("frombuffer")(values, "uint8");
    if (!host.writeable()) raise_value_error("the device could write to it, and the host's array is read-only");
    if ((host.flags() & py::array::c_style) == 0) raise_value_error("only contiguous arrays are used where they lie; this one has strides");
    if (host.size() == 0) raise_value_error("an array without elements has no memory to use");
    ArrayObject made = lay_out(host.attr("shape"), host.dtype());
    Memory memory = Memory::import_host(self.device, const_cast<void*>(host.data()), made.size_bytes());
    return over(self, std::move(made), std::move(memory), host);
}

std::shared_ptr<TimelineObject> import_timeline(const InstanceObject& self, const py::object& handle) {
    return std::make_shared<TimelineObject>(TimelineObject{Timeline::import_handle(self.instance, read(handle)), "timeline", true});
}

/* A function as a method of a class that another file has made. */
template <class Function, class... Extra>
void add(const py::module_& module, const char* type, const char* name, Function&& function, const Extra&... extra) {
    const py::object owner = module.attr(type);
    owner.attr(name) = py::cpp_function(std::forward<Function>(function), py::name(name), py::is_method(owner), py::sibling(py::getattr(owner, name, py::none())), extra...);
}

} // namespace

void bind_sharing(py::module_& module) {
    add(module, "Array", "export", &export_array, "A qiao.Handle of the array's whole memory, for another device or process: of arrays made by Device.shareable.");
    add(module, "Device", "shareable", &shareable, py::arg("shape"), py::arg("dtype") = "float32", py::kw_only(), py::arg("kind") = "host",
        "An array that can be exported: zeros in host memory, at Array.host; or of kind \"device\" where the driver hands that over.");
    add(module, "Device", "import_memory", &import_memory, py::arg("handle"), py::arg("shape"), py::arg("dtype") = "float32",
        "An array over the memory of a handle, from its first byte.");
    add(module, "Device", "import_host", &import_host, py::arg("values"),
        "An array over the memory of a NumPy array, or of another buffer, without a copy. Its release waits for the device's work.");
    add(module, "Timeline", "export", [](const TimelineObject& self) { return handle_of(self.timeline.export_handle()); },
        "A qiao.Handle of a shareable timeline, for another process.");
    add(module, "Instance", "import_timeline", &import_timeline, py::arg("handle"), "The timeline of a handle.");
}

} // namespace qiao::python
