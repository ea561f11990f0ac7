/* Instances and the ledger of plugins. */
#include <pybind11/stl.h>

#include <memory>
#include <vector>

#include "errors.h"
#include "objects.h"
#include "wait.h"

namespace qiao::python {
namespace {

const char* name_of(qiao_candidate_state state) {
    switch (state) {
        case QIAO_CANDIDATE_STATE_USABLE: return "usable";
        case QIAO_CANDIDATE_STATE_NO_DEVICES: return "no devices";
        case QIAO_CANDIDATE_STATE_DISABLED: return "disabled";
        case QIAO_CANDIDATE_STATE_BAD_MANIFEST: return "bad manifest";
        case QIAO_CANDIDATE_STATE_NOT_LOADABLE: return "not loadable";
        case QIAO_CANDIDATE_STATE_INCOMPATIBLE: return "incompatible";
        case QIAO_CANDIDATE_STATE_REFUSED: return "refused";
        case QIAO_CANDIDATE_STATE_FAILED: return "failed";
        default: return "unknown";
    }
}

/* Instances that may be alive when the interpreter ends. */
std::vector<std::weak_ptr<InstanceObject>>& all_instances() {
    static std::vector<std::weak_ptr<InstanceObject>> all;
    return all;
}

/* Vendors' runtimes do not survive the end of a process in the middle of their work. What waits for an event that never comes
 * is not waited for. */
void finish_work() {
    constexpr double kLongestSeconds = 10;
    for (const std::weak_ptr<InstanceObject>& each : all_instances()) {
        const std::shared_ptr<InstanceObject> instance = each.lock();
        if (!instance) continue;
        for (const DeviceObject& device : instance->devices) {
            try {
                static_cast<void>(wait_for_device(device.device, kLongestSeconds));
            } catch (const Error&) { // a lost device has no work
            }
        }
    }
}

std::shared_ptr<InstanceObject> create(const std::optional<std::string>& plugin_path, const std::optional<std::string>& visible_devices) {
    InstanceOptions options;
    const std::string path = plugin_path ? *plugin_path : py::module_::import("qiao.plugins").attr("search_path")().cast<std::string>();
    options.plugin_path = path.c_str();
    if (visible_devices) options.visible_devices = visible_devices->c_str();
    std::shared_ptr<InstanceObject> made;
    {
        const py::gil_scoped_release others;
        made = std::make_shared<InstanceObject>(options);
    }
    std::erase_if(all_instances(), [](const auto& each) { return each.expired(); });
    all_instances().push_back(made);
    return made;
}

py::list devices_of(InstanceObject& instance) {
    py::list devices;
    for (DeviceObject& device : instance.devices)
        devices.append(device.share());
    return devices;
}

std::shared_ptr<DeviceObject> open(InstanceObject& instance, const char* selector) {
    const Device found = instance.instance.find_device(selector);
    for (DeviceObject& device : instance.devices)
        if (device.device == found) return device.share();
    raise(QIAO_ERROR_NOT_FOUND, std::string("the device '") + selector + "' is not of this instance");
}

py::list ledger_of(const InstanceObject& instance) {
    py::list ledger;
    const py::object entry = py::module_::import("qiao.ledger").attr("Candidate");
    for (const qiao_candidate& each : instance.instance.candidates())
        ledger.append(entry(each.plugin, name_of(each.state), each.device_count, each.version, each.manifest, each.library,
                            each.reason, each.remedy, each.probe));
    return ledger;
}

} // namespace

InstanceObject::InstanceObject(const InstanceOptions& options) : instance(options) {
    for (const Device device : instance.devices()) {
        DeviceObject& added = devices.emplace_back();
        added.instance = this;
        added.device = device;
        added.id = device.id();
    }
}

void bind_instance(py::module_& module) {
    py::module_::import("atexit").attr("register")(py::cpp_function(&finish_work));
    py::class_<InstanceObject, std::shared_ptr<InstanceObject>>(
        module, "Instance", "All plugins and their devices, as one application sees them. qiao.open and qiao.devices use one for all.")
        .def(py::init(&create), py::kw_only(), py::arg("plugin_path") = py::none(), py::arg("visible_devices") = py::none())
        .def_property_readonly("devices", &devices_of, "The visible devices, in the order of the ledger.")
        .def("open", &open, py::arg("selector") = "*",
             "The first device that matches: \"mock:0\", a glob (\"opencl:*\") or a plugin's id (\"mock\"). NotFoundError lists the ids.")
        .def_property_readonly("ledger", &ledger_of, "Every plugin that was considered, usable or not, and why.")
        .def("topology", &make_topology, py::kw_only(), py::arg("sysfs_root") = py::none(), py::arg("providers") = py::none(),
             "How things hang together now: as the system's files below the root (/sys) and these providers (all) tell.")
        .def("timeline", [](const InstanceObject& self, uint64_t value, bool shareable) {
            Timeline made = shareable ? Timeline::shareable(self.instance, value) : Timeline(self.instance, value);
            return std::make_shared<TimelineObject>(TimelineObject{std::move(made), "timeline", true});
        }, py::arg("value") = 0, py::kw_only(), py::arg("shareable") = false,
             "A timeline that stands at `value` and is raised by the application, or by queues of any device; a shareable one also by other processes.");

    module.def("version", [] {
        uint32_t major = 0, minor = 0, patch = 0;
        qiao_query_version(&major, &minor, &patch);
        return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
    }, "The version of the library that is running.");
}

} // namespace qiao::python
