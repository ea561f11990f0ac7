/* Devices are borrowed from the instance; selection is done here rather than by qiao_instance_find_device because a glob
 * means all that match on the command line. */
#include "cli/devices.h"

#include <fnmatch.h>

#include <algorithm>

#include "cli/failure.h"

namespace qiao::cli {
namespace {

std::vector<Device> matching(const std::vector<Device>& devices, const std::string& selector) {
    std::vector<Device> found;
    for (const Device& device : devices) {
        if (device.id == selector) return {device};
        if (fnmatch(selector.c_str(), device.id.c_str(), 0) == 0) found.push_back(device);
    }
    if (!found.empty()) return found;
    const auto first = std::find_if(devices.begin(), devices.end(),
                                    [&](const Device& device) { return device.properties.plugin == selector; });
    if (first != devices.end()) found.push_back(*first);
    return found;
}

std::string ids_text(const std::vector<Device>& devices) {
    std::string ids;
    for (const Device& device : devices)
        ids += (ids.empty() ? "" : ", ") + device.id;
    return ids.empty() ? "there are no devices" : "there are " + ids;
}

} // namespace

void check(qiao_status status, const std::string& doing) {
    if (status == QIAO_OK) return;
    qiao_error record = QIAO_ERROR_INIT;
    /* The record is only written on failure: a time-out and "not ready" have none. */
    if (status > 0 || qiao_error_query(&record) != QIAO_OK || record.status != status) {
        Failure failure(kExitFailed, text(doing, ": ", qiao_status_get_text(status)));
        failure.status = qiao_status_get_name(status);
        throw failure;
    }
    std::string message = text(doing, ": ", record.message);
    if (*record.object != '\0') message += text(" [", record.object, "]");
    if (*record.plugin != '\0') message += text(" [plugin ", record.plugin, "]");
    if (record.vendor_code != 0 || *record.vendor_text != '\0') {
        message += text(" [", *record.vendor_text != '\0' ? record.vendor_text : "the vendor's code");
        message += record.vendor_code != 0 ? text(" ", record.vendor_code, "]") : "]";
    }
    if (record.line != 0) message += text(" [line ", record.line, "]");
    Failure failure(kExitFailed, message, record.remedy);
    failure.status = qiao_status_get_name(status);
    failure.log = record.log;
    throw failure;
}

Instance make_instance() {
    qiao_instance* instance = nullptr;
    check(qiao_instance_create(nullptr, &instance), "loading the plugins");
    return Instance(instance);
}

std::vector<Device> all_devices(qiao_instance* instance) {
    uint32_t count = 0;
    check(qiao_instance_enumerate_devices(instance, 0, nullptr, &count), "listing the devices");
    std::vector<qiao_device*> handles(count);
    check(qiao_instance_enumerate_devices(instance, count, handles.data(), &count), "listing the devices");
    handles.resize(std::min<size_t>(count, handles.size()));
    std::vector<Device> devices;
    for (qiao_device* handle : handles) {
        Device device;
        device.handle = handle;
        check(qiao_device_query_properties(handle, &device.properties), "asking a device for its properties");
        device.id = device.properties.id;
        devices.push_back(device);
    }
    return devices;
}

std::vector<qiao_candidate> candidates_of(qiao_instance* instance) {
    std::vector<qiao_candidate> candidates;
    for (uint32_t index = 0;; ++index) {
        qiao_candidate candidate = QIAO_CANDIDATE_INIT;
        const qiao_status status = qiao_instance_query_candidate(instance, index, &candidate);
        if (status == QIAO_ERROR_NOT_FOUND) return candidates;
        check(status, "reading the ledger of plugins");
        candidates.push_back(candidate);
    }
}

std::vector<Device> select_devices(qiao_instance* instance, const std::vector<std::string>& selectors) {
    const std::vector<Device> devices = all_devices(instance);
    std::vector<Device> selected;
    for (const std::string& selector : selectors) {
        const std::vector<Device> found = matching(devices, selector);
        if (found.empty()) {
            throw Failure(kExitNoDevice, text("no device matches '", selector, "'; ", ids_text(devices)),
                          "see `qiao list`, and `qiao doctor` for devices that are missing");
        }
        for (const Device& device : found) {
            const bool known = std::any_of(selected.begin(), selected.end(),
                                           [&](const Device& other) { return other.handle == device.handle; });
            if (!known) selected.push_back(device);
        }
    }
    return selected;
}

} // namespace qiao::cli
