/* Devices: what they are, and what is made on them. */
#include <pybind11/stl.h>

#include "array.h"
#include "errors.h"
#include "kernel.h"
#include "objects.h"
#include "wait.h"

namespace qiao::python {
namespace {

struct FeatureName {
    qiao_features bit;
    const char* name;
};
constexpr FeatureName kFeatures[] = {
    {QIAO_FEATURE_FP64, "fp64"},           {QIAO_FEATURE_FP16, "fp16"},     {QIAO_FEATURE_INT64, "int64"}, {QIAO_FEATURE_INT64_ATOMICS, "int64_atomics"},
    {QIAO_FEATURE_SUBGROUPS, "subgroups"}, {QIAO_FEATURE_PRINTF, "printf"}, {QIAO_FEATURE_ADDRESSES, "addresses"},
};

py::frozenset share_types_of(uint32_t types) {
    static constexpr const char* kNames[] = {"", "host_pointer", "host_file", "opaque_fd", "dma_buf"};
    py::set names;
    for (size_t type = 1; type < std::size(kNames); ++type)
        if ((types >> type & 1) != 0) names.add(kNames[type]);
    return py::frozenset(names);
}

py::dict properties_of(const DeviceObject& self) {
    const DeviceProperties p = self.device.properties();
    py::dict all;
    all["id"] = p.id;
    all["plugin"] = p.plugin;
    all["name"] = p.name;
    all["vendor"] = p.vendor;
    all["driver"] = p.driver;
    all["target"] = p.target;
    all["formats"] = py::str(p.formats).attr("split")(";");
    all["note"] = p.note;
    all["features"] = features_of(p.features);
    all["simulated"] = p.is_simulated();
    all["unified"] = (p.flags & QIAO_DEVICE_UNIFIED) != 0;
    all["emulated_addresses"] = p.has_emulated_addresses();
    all["emulated_shared"] = p.has_emulated_shared();
    all["memory_bytes"] = p.memory_bytes;
    all["max_allocation_bytes"] = p.max_allocation_bytes;
    all["import_types"] = share_types_of(p.import_types);
    all["export_types"] = share_types_of(p.export_types);
    all["import_alignment"] = p.import_alignment;
    all["driver_uuid"] = py::bytes(reinterpret_cast<const char*>(p.driver_uuid), sizeof p.driver_uuid);
    all["uuid"] = py::bytes(reinterpret_cast<const char*>(p.uuid), sizeof p.uuid);
    all["compute_units"] = p.compute_units;
    all["max_group_size"] = p.max_group_size;
    all["max_group"] = py::make_tuple(p.max_group[0], p.max_group[1], p.max_group[2]);
    all["max_group_count"] = py::make_tuple(p.max_group_count[0], p.max_group_count[1], p.max_group_count[2]);
    all["local_memory_bytes"] = p.local_memory_bytes;
    all["subgroup_width"] = p.subgroup_width;
    all["preferred_group_multiple"] = p.preferred_group_multiple;
    all["max_argument_bytes"] = p.max_argument_bytes;
    all["queue_priorities"] = p.queue_priorities;
    all["clock_mhz"] = p.clock_mhz;
    all["address_bits"] = p.address_bits;
    all["generation"] = p.generation;
    all["pci"] = p.pci_vendor_id == 0 ? py::object(py::none())
                                      : py::object(py::str("{:04x}:{:02x}:{:02x}.{:x}").format(p.pci_domain, p.pci_bus, p.pci_device, p.pci_function));
    return all;
}

ArrayObject shared(DeviceObject& self, const py::object& shape, const py::object& dtype, const std::string& fetch) {
    if (fetch != "wait" && fetch != "explicit") raise_value_error("fetch is '" + fetch + "'; it must be \"wait\" or \"explicit\"");
    return empty(self, shape, dtype, MemoryOptions{MemoryKind::kShared, 0, fetch == "explicit"});
}

py::dict slots_of(const DeviceObject& self) {
    static constexpr const char* kNames[] = {"absent", "native", "emulated"};
    py::dict slots;
    for (const DeviceSlot& slot : self.device.slots())
        slots[slot.name] = slot.provenance < std::size(kNames) ? kNames[slot.provenance] : "unknown";
    return slots;
}

py::dict memory_kinds_of(const DeviceObject& self) {
    static constexpr const char* kKinds[] = {"", "device", "host", "shared"};
    static constexpr const char* kLevels[] = {"copy", "argument", "pointer", "coherent", "system"};
    py::dict kinds;
    for (const MemoryKindProperties& each : self.device.memory_kinds()) {
        const auto level = static_cast<uint32_t>(each.level);
        py::dict about;
        about["level"] = level;
        about["level_name"] = level < std::size(kLevels) ? kLevels[level] : "unknown";
        about["provenance"] = each.provenance == QIAO_PROVENANCE_EMULATED ? "emulated" : "native";
        kinds[kKinds[static_cast<uint32_t>(each.kind)]] = about;
    }
    return kinds;
}

void synchronize(const DeviceObject& self, Timeout timeout) {
    if (!wait_for_device(self.device, timeout))
        raise(QIAO_TIMEOUT, "the time limit of " + std::to_string(*timeout) + " s passed before the work of " + self.id + " had ended", "wait again");
}

void reset(DeviceObject& self) {
    if (self.default_queue) self.default_queue->borrowed.clear(); // the reset ends the copies
    {
        const py::gil_scoped_release others;
        self.device.reset();
    }
    self.default_queue.reset();
    ++self.resets;
}

} // namespace

py::frozenset features_of(qiao_features features) {
    py::set names;
    for (const FeatureName& each : kFeatures)
        if ((features & each.bit) != 0) names.add(each.name);
    return py::frozenset(names);
}

std::shared_ptr<DeviceObject> DeviceObject::share() { return {instance->shared_from_this(), this}; }

QueueObject& DeviceObject::queue() {
    if (!default_queue || default_queue->is_released) default_queue.emplace(this, nullptr, QueueOptions{});
    return *default_queue;
}

std::shared_ptr<QueueObject> DeviceObject::share_queue() { return {instance->shared_from_this(), &queue()}; }

void bind_device(py::module_& module) {
    py::class_<DeviceObject, std::shared_ptr<DeviceObject>> device(module, "Device", "A card, or what takes the place of one.");
    bind_empty(device);
    device.def_readonly("id", &DeviceObject::id)
        .def_property_readonly("name", [](const DeviceObject& self) { return self.device.properties().name; })
        .def_property_readonly("properties", &properties_of, "All that the plugin said of the device, as a dict.")
        .def_property_readonly("features", [](const DeviceObject& self) { return features_of(self.device.limit(QIAO_DEVICE_LIMIT_FEATURES)); },
                               "What it has beyond 32-bit integers and float32: \"fp64\", \"fp16\", \"int64\", ...")
        .def_property_readonly("slots", &slots_of, "Each function of the plugin ABI: \"native\", \"emulated\" or \"absent\".")
        .def_property_readonly("memory_kinds", &memory_kinds_of,
                               "What memory of each kind can do: {\"device\": {\"level\": 0 to 4, \"level_name\": ..., \"provenance\": ...}, ...}.")
        .def_property_readonly("traffic", [](const DeviceObject& self) { return traffic_of(device_traffic(self.device)); },
                               "What was moved between host and card of all shared memory that was made on it, as Array.traffic.")
        .def_property_readonly("state", [](const DeviceObject& self) {
            const DeviceState state = self.device.state();
            return py::make_tuple(state.is_removed ? "removed" : state.is_lost ? "lost" : "ok", state.reason);
        }, "(\"ok\", \"lost\" or \"removed\", reason)")
        .def_property_readonly("memory", [](const DeviceObject& self) {
            const DeviceMemory memory = self.device.memory();
            return py::make_tuple(memory.free_bytes, memory.total_bytes);
        }, "(free, total) in bytes, now.")
        .def_property_readonly("clock", [](const DeviceObject& self) {
            const DeviceClock clock = self.device.clock();
            return py::make_tuple(clock.device_ns, clock.host_ns);
        }, "One moment on the device's clock and on the host's CLOCK_MONOTONIC, in nanoseconds.")
        .def_property_readonly("queue", &DeviceObject::share_queue, "The queue that is used where none is given.")
        .def("create_queue", [](DeviceObject& self, bool profiling, uint32_t priority) {
            return std::make_shared<QueueObject>(&self, self.share(), QueueOptions{profiling, priority});
        }, py::kw_only(), py::arg("profiling") = false, py::arg("priority") = 0)
        .def("pool", [](DeviceObject& self, uint64_t reserve_limit, uint64_t idle_limit, uint64_t largest_shared, uint64_t alignment, const py::object& kind) {
            const MemoryKind of_kind = kind_of(kind);
            return std::make_shared<PoolObject>(
                PoolObject{self.share(), Pool(self.device, {reserve_limit, idle_limit, largest_shared, alignment, of_kind}), of_kind, self.resets, false});
        }, py::kw_only(), py::arg("reserve_limit") = 0, py::arg("idle_limit") = 0, py::arg("largest_shared") = 0, py::arg("alignment") = 0,
             py::arg("kind") = "device", "Memory that arrays are made from and go back to without a call into the card's driver. 0 = the default.")
        .def("zeros", &zeros, py::arg("shape"), py::arg("dtype") = "float32")
        .def("full", &full, py::arg("shape"), py::arg("value"), py::arg("dtype") = py::none())
        .def("shared", &shared, py::arg("shape"), py::arg("dtype") = "float32", py::kw_only(), py::arg("fetch") = "wait",
             "An array that the host reaches too, as Array.host. `fetch`: what the card has written comes with each \"wait\" for it, or is\n"
             "\"explicit\": by Array.fetch.")
        .def("array", &array, py::arg("values"), py::arg("dtype") = py::none(), "An array with these values: anything numpy.asarray takes.")
        .def("compile", &compile, py::arg("source"), py::kw_only(), py::arg("options") = "", py::arg("name") = "program",
             "Kernels from OpenCL C 1.2. CompileError has log and line.")
        .def("load", &load, py::arg("package"), py::kw_only(), py::arg("name") = "program",
             "Kernels from the bytes of a package (.qpk), or a qiao.Package.")
        .def("explain", &explain, py::arg("package"), "What it would make of each variant of a package, and why. Loads nothing.")
        .def("synchronize", &synchronize, py::arg("timeout") = py::none(), "Waits until all work of all its queues has ended.")
        .def("reset", &reset,
             "Starts the device anew, also a lost one. Arrays, programs and queues made before raise DeviceLostError from then on.")
        .def("__enter__", [](const py::object& self) { return self; })
        .def("__exit__", [](const py::object& self, const py::object& type, const py::object&, const py::object&) {
            if (type.is_none()) self.attr("synchronize")();
        })
        .def("__repr__", [](const DeviceObject& self) { return "<qiao.Device " + self.id + " '" + self.device.properties().name + "'>"; });
}

} // namespace qiao::python
