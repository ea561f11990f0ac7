#include "kernel.h"

#include <pybind11/stl.h>

#include <array>

#include "array.h"
#include "errors.h"

namespace qiao::python {
namespace {

using Extents = std::array<uint64_t, 3>;

/* One to three extents from an int or a tuple; how many there were. */
uint32_t read_extents(py::handle given, const char* what, Extents& extents) {
    if (PyIndex_Check(given.ptr()) != 0) {
        extents[0] = given.cast<uint64_t>();
        return 1;
    }
    if (!py::isinstance<py::tuple>(given) && !py::isinstance<py::list>(given))
        raise_type_error(std::string("the ") + what + " is an int or a tuple of up to three, not '" + type_name(given) + "'");
    const auto sequence = py::reinterpret_borrow<py::sequence>(given);
    if (sequence.size() == 0 || sequence.size() > 3)
        raise_value_error(std::string("the ") + what + " has 1 to 3 dimensions, not " + std::to_string(sequence.size()));
    for (size_t i = 0; i < sequence.size(); ++i) {
        const py::object extent = sequence[i];
        if (PyIndex_Check(extent.ptr()) == 0) raise_type_error(std::string("the ") + what + " consists of ints, not of '" + type_name(extent) + "'");
        extents[i] = extent.cast<uint64_t>();
    }
    return static_cast<uint32_t>(sequence.size());
}

Shape read_shape(py::handle grid, py::handle group, py::handle offset) {
    qiao_launch launch = QIAO_LAUNCH_INIT;
    Extents extents = {1, 1, 1};
    launch.dimensions = read_extents(grid, "grid", extents);
    std::copy(extents.begin(), extents.end(), launch.global_size);
    if (group && !group.is_none()) {
        extents = {1, 1, 1};
        const uint32_t dimensions = read_extents(group, "group", extents);
        if (dimensions > launch.dimensions)
            raise_value_error("the group has " + std::to_string(dimensions) + " dimensions, the grid " + std::to_string(launch.dimensions) +
                              (launch.dimensions == 1 ? "; a grid of several is a tuple: kernel[(640, 480), (16, 16)]" : ""));
        std::copy(extents.begin(), extents.end(), launch.group_size);
    }
    if (offset && !offset.is_none()) {
        extents = {0, 0, 0};
        static_cast<void>(read_extents(offset, "offset", extents));
        std::copy(extents.begin(), extents.end(), launch.global_offset);
    }
    return Shape(launch);
}

/* `kernel[grid]`, `kernel[grid, group]`, `kernel[grid, group, offset]`. */
LaunchObject launch_with_shape(const std::shared_ptr<KernelObject>& kernel, const py::object& index) {
    if (!py::isinstance<py::tuple>(index)) return {kernel, read_shape(index, {}, {})};
    const auto parts = py::reinterpret_borrow<py::tuple>(index);
    if (parts.size() == 0 || parts.size() > 3)
        raise_type_error("a kernel takes kernel[grid], kernel[grid, group] or kernel[grid, group, offset]; grids of several dimensions are tuples");
    return {kernel, read_shape(parts[0], parts.size() > 1 ? py::object(parts[1]) : py::object(), parts.size() > 2 ? py::object(parts[2]) : py::object())};
}

PointObject launch(const KernelObject& kernel, const Shape& shape, QueueObject& queue, const py::tuple& positional, py::handle named) {
    if (queue.device != &kernel.device())
        raise_value_error("the queue is of " + queue.device->id + ", kernel '" + kernel.signature.kernel_name() + "' of " + kernel.device().id);
    alignas(128) std::byte block[QIAO_MAX_ARGUMENT_BYTES];
    const uint32_t bytes = kernel.signature.block_bytes();
    std::memset(block, 0, bytes); // what lies between the arguments
    kernel.signature.pack(queue, positional, named, block);
    return queue.at(queue.use().launch_packed(kernel.kernel, shape, block, bytes));
}

/* pybind11 does not take None for a pointer that follows *args; and what is no queue is said in words of our own. */
QueueObject& queue_for(const KernelObject& kernel, py::handle queue) {
    if (!queue || queue.is_none()) return kernel.device().queue();
    if (!py::isinstance<QueueObject>(queue)) raise_type_error("'queue' is a qiao.Queue or None, not '" + type_name(queue) + "'");
    return queue.cast<QueueObject&>();
}

PointObject call(const LaunchObject& self, const py::args& arguments, const py::kwargs& named) {
    if (named.empty()) return launch(*self.kernel, self.shape, self.kernel->device().queue(), arguments, {});
    return launch(*self.kernel, self.shape, queue_for(*self.kernel, PyDict_GetItemString(named.ptr(), kQueueWord)), arguments, named);
}

std::shared_ptr<KernelObject> make_kernel(const std::shared_ptr<ProgramObject>& program, Kernel kernel) {
    return std::make_shared<KernelObject>(KernelObject{program, kernel, Signature(kernel)});
}

std::shared_ptr<KernelObject> find_kernel(const std::shared_ptr<ProgramObject>& self, const std::string& name) {
    return make_kernel(self, self->program.kernel(name.c_str()));
}

/* program.name, for kernels only: that there is none is Python's own error, so that hasattr works. */
std::shared_ptr<KernelObject> get_attribute(const std::shared_ptr<ProgramObject>& self, const std::string& name) {
    try {
        return find_kernel(self, name);
    } catch (const NotFoundError& error) {
        throw py::attribute_error(error.record().message);
    }
}

std::vector<std::string> kernel_names(const ProgramObject& self) {
    std::vector<std::string> names;
    for (const Kernel kernel : self.program.kernels())
        names.emplace_back(kernel.name());
    return names;
}

py::list parameters_of(const KernelObject& self) {
    static constexpr const char* kKinds[] = {"value", "address", "local"};
    static constexpr const char* kAccess[] = {"", "r", "w", "rw"};
    const py::object parameter = py::module_::import("qiao.signature").attr("Parameter");
    py::list all;
    for (const Parameter& each : self.signature.parameters())
        all.append(parameter(each.name, each.type, kKinds[each.kind], kAccess[each.access & 3], each.offset, each.size));
    return all;
}

/* The memory of a package, held while it is read. */
class PackageBytes {
  public:
    explicit PackageBytes(const py::object& package) {
        const py::object bytes = py::hasattr(package, "data") ? py::object(package.attr("data")) : package;
        if (PyObject_GetBuffer(bytes.ptr(), &view_, PyBUF_C_CONTIGUOUS) == 0) return;
        PyErr_Clear();
        raise_type_error("a package is qiao.Package or the bytes of a .qpk, not '" + type_name(package) + "'");
    }
    ~PackageBytes() { PyBuffer_Release(&view_); }
    PackageBytes(const PackageBytes&) = delete;
    PackageBytes& operator=(const PackageBytes&) = delete;

    span<const std::byte> get() const { return {static_cast<const std::byte*>(view_.buf), static_cast<size_t>(view_.len)}; }

  private:
    Py_buffer view_;
};

std::shared_ptr<ProgramObject> make_program(DeviceObject& device, Program program) {
    return std::make_shared<ProgramObject>(ProgramObject{device.share(), std::move(program)});
}

} // namespace

std::shared_ptr<ProgramObject> compile(DeviceObject& device, const std::string& source, const std::string& options, const std::string& name) {
    Program program;
    {
        const py::gil_scoped_release others;
        program = Program::from_source(device.device, source, {name.c_str(), options.c_str()});
    }
    return make_program(device, std::move(program));
}

std::shared_ptr<ProgramObject> load(DeviceObject& device, const py::object& package, const std::string& name) {
    const PackageBytes bytes(package);
    Program program;
    {
        const py::gil_scoped_release others;
        program = Program::from_package(device.device, bytes.get(), {name.c_str(), nullptr});
    }
    return make_program(device, std::move(program));
}

py::list explain(DeviceObject& device, const py::object& package) {
    static constexpr const char* kVerdicts[] = {"taken", "worse", "refused", "damaged"};
    const PackageBytes bytes(package);
    const py::object entry = py::module_::import("qiao.package").attr("Variant");
    py::list variants;
    Program::explain(device.device, bytes.get(), [&](const qiao_variant& each) {
        variants.append(entry(each.format, each.target, each.tool, features_of(each.features),
                              each.verdict < std::size(kVerdicts) ? kVerdicts[each.verdict] : "unknown", each.reason, each.score));
    });
    return variants;
}

void bind_kernel(py::module_& module) {
    py::class_<LocalMemory>(module, "LocalMemory", "Local memory for one argument of a kernel; made by qiao.local.")
        .def(py::init([](uint64_t bytes) { return LocalMemory{bytes}; }), py::arg("nbytes"))
        .def_readonly("nbytes", &LocalMemory::bytes);

    py::class_<LaunchObject>(module, "Launch", "A kernel with a shape: called with the kernel's arguments, by position or name, it launches.")
        .def("__call__", &call)
        .def_property_readonly("kernel", [](const LaunchObject& self) { return self.kernel; });

    py::class_<KernelObject, std::shared_ptr<KernelObject>>(module, "Kernel", "A kernel of a program. `kernel[grid, group](...)` launches it.")
        .def_property_readonly("name", [](const KernelObject& self) { return self.signature.kernel_name(); })
        .def_property_readonly("program", [](const KernelObject& self) { return self.program; })
        .def_property_readonly("parameters", &parameters_of, "Name, type, kind, access, offset and size of each argument.")
        .def_property_readonly("required_group", [](const KernelObject& self) -> py::object {
            const qiao_kernel_properties p = self.kernel.properties();
            if (p.required_group[0] == 0) return py::none();
            return py::make_tuple(p.required_group[0], p.required_group[1], p.required_group[2]);
        })
        .def_property_readonly("max_group_size", [](const KernelObject& self) { return self.kernel.properties().max_group_size; })
        .def_property_readonly("preferred_group_multiple", [](const KernelObject& self) { return self.kernel.properties().preferred_group_multiple; })
        .def_property_readonly("static_local_bytes", [](const KernelObject& self) { return self.kernel.properties().static_local_bytes; })
        .def("__getitem__", &launch_with_shape, py::arg("shape"), "kernel[grid], kernel[grid, group] or kernel[grid, group, offset]; None lets the core choose the group.")
        .def("launch", [](const KernelObject& self, const py::args& arguments, const py::object& grid, const py::object& group, const py::object& offset,
                          const py::object& queue, const py::kwargs& named) {
            return launch(self, read_shape(grid, group, offset), queue_for(self, queue), arguments, named);
        }, py::kw_only(), py::arg("grid"), py::arg("group") = py::none(), py::arg("offset") = py::none(), py::arg("queue") = py::none(),
             "The explicit form: launch(a, b, grid=1000, group=None, offset=None, queue=None).")
        .def("__repr__", [](const KernelObject& self) { return "<qiao.Kernel " + self.signature.text() + " on " + self.device().id + ">"; });

    py::class_<ProgramObject, std::shared_ptr<ProgramObject>>(module, "Program", "Kernels for one device: program.name or program[\"name\"].")
        .def_property_readonly("device", [](const ProgramObject& self) { return self.device; })
        .def_property_readonly("kernels", &kernel_names, "Their names, in the order of the source.")
        .def_property_readonly("format", [](const ProgramObject& self) { return self.program.properties().format; }, "Of the variant that was taken.")
        .def_property_readonly("target", [](const ProgramObject& self) { return self.program.properties().target; })
        .def_property_readonly("tool", [](const ProgramObject& self) { return self.program.properties().tool; })
        .def_property_readonly("log", [](const ProgramObject& self) { return self.program.properties().log; }, "Warnings of the compilers.")
        .def_property_readonly("selection", [](const ProgramObject& self) { return self.program.properties().selection; },
                               "A line for each variant of the package: taken, or why not.")
        .def("__getitem__", &find_kernel, py::arg("name"))
        .def("__getattr__", &get_attribute, py::arg("name"))
        .def("__dir__", [](const py::object& self) {
            py::list names = py::module_::import("builtins").attr("list")(py::module_::import("builtins").attr("object").attr("__dir__")(self));
            for (const std::string& name : kernel_names(self.cast<const ProgramObject&>()))
                names.append(name);
            return names;
        })
        .def("__enter__", [](const py::object& self) { return self; })
        .def("__exit__", [](ProgramObject&, const py::object&, const py::object&, const py::object&) {})
        .def("__repr__", [](const ProgramObject& self) { return "<qiao.Program with " + std::to_string(self.program.properties().kernel_count) + " kernels on " + self.device->id + ">"; });
}

} // namespace qiao::python
