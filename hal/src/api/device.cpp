// Entries for devices: enumeration, properties, state.
#include "qiao/device.h"

#include <fnmatch.h>

#include "api/entry.h"
#include "api/memory_kind.h"
#include "api/native.h"
#include "api/share.h"
#include "dispatch/device.h"
#include "dispatch/memory_level.h"
#include "dispatch/retire.h"
#include "dispatch/tables.h"
#include "dispatch/wait.h"
#include "emulation/shared.h"

using namespace qiao;

namespace {

bool selects(const std::string& selector, const Device& device) {
    if (selector == device.id || selector == device.plugin_id) return true;
    return fnmatch(selector.c_str(), device.id.c_str(), 0) == 0;
}

uint64_t device_flags(const Device& device) {
    const qiao_plugin_device_info& info = device.info;
    uint64_t flags = emulates_shared(device) ? QIAO_DEVICE_SHARED_EMULATED : 0;
    if ((info.flags & QIAO_PLUGIN_DEVICE_SIMULATED) != 0) flags |= QIAO_DEVICE_SIMULATED;
    if ((info.flags & QIAO_PLUGIN_DEVICE_UNIFIED) != 0) flags |= QIAO_DEVICE_UNIFIED;
    if ((info.flags & QIAO_PLUGIN_DEVICE_ARGUMENTS_RESOLVED) != 0) flags |= QIAO_DEVICE_ADDRESSES_EMULATED;
    return flags;
}

}  // namespace

qiao_status qiao_instance_enumerate_devices(qiao_instance* instance, uint32_t capacity, qiao_device** out_devices, uint32_t* out_count) {
    if (out_count != nullptr) *out_count = 0;
    QIAO_CHECK_HANDLE(instance);
    QIAO_CHECK_POINTER(out_count);
    if (capacity != 0) QIAO_CHECK_POINTER(out_devices);
    const auto& devices = instance->body.devices;
    std::copy_n(devices.begin(), std::min<size_t>(capacity, devices.size()), out_devices);
    *out_count = static_cast<uint32_t>(devices.size());
    return QIAO_OK;
}

qiao_status qiao_instance_find_device(qiao_instance* instance, const char* selector, qiao_device** out_device) {
    if (out_device != nullptr) *out_device = nullptr;
    QIAO_CHECK_HANDLE(instance);
    QIAO_CHECK_POINTER(selector);
    QIAO_CHECK_POINTER(out_device);
    return entry([&]() -> qiao_status {
        std::string ids;
        for (qiao_device* device : instance->body.devices) {
            if (selects(selector, device->body)) {
                *out_device = device;
                return QIAO_OK;
            }
            ids += (ids.empty() ? "" : ", ") + device->body.id;
        }
        fail(QIAO_ERROR_NOT_FOUND, "no device matches '%.200s'; there are: %s", selector, ids.empty() ? "none" : ids.c_str());
        set_remedy("`qiao doctor` says why a plugin or a device is missing");
        return QIAO_ERROR_NOT_FOUND;
    });
}

qiao_status qiao_device_query_properties(qiao_device* device, qiao_device_properties* out_properties) {
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(out_properties);
    const Device& body = device->body;
    const qiao_plugin_device_info& info = body.info;
    qiao_device_properties values = QIAO_DEVICE_PROPERTIES_INIT;
    values.id = body.id.c_str();
    values.plugin = body.plugin_id.c_str();
    values.name = info.name;
    values.vendor = info.vendor;
    values.driver = info.driver;
    values.target = info.target;
    values.formats = body.formats.c_str();
    values.note = info.note;
    values.flags = device_flags(body);
    values.features = info.features;
    values.memory_bytes = info.memory_bytes;
    values.max_allocation_bytes = info.max_allocation_bytes;
    std::memcpy(values.uuid, info.uuid, sizeof values.uuid);
    values.pci_domain = info.pci_domain;
    values.pci_bus = info.pci_bus;
    values.pci_device = info.pci_device;
    values.pci_function = info.pci_function;
    values.pci_vendor_id = info.pci_vendor_id;
    values.pci_device_id = info.pci_device_id;
    values.memory_kinds = memory_kinds(body);
    values.compute_units = info.compute_units;
    values.max_group_size = info.max_group_size;
    std::copy_n(info.max_group, 3, values.max_group);
    std::copy_n(info.max_group_count, 3, values.max_group_count);
    values.local_memory_bytes = info.local_memory_bytes;
    values.subgroup_width = info.subgroup_width;
    values.preferred_group_multiple = info.preferred_group_multiple;
    values.max_argument_bytes = info.max_argument_bytes;
    values.queue_priorities = info.queue_priorities;
    values.clock_mhz = info.clock_mhz;
    values.address_bits = info.address_bits;
    values.generation = body.generation.load();
    values.import_types = import_types(body);
    values.export_types = export_types(body);
    values.import_alignment = info.import_alignment;
    std::memcpy(values.driver_uuid, info.driver_uuid, sizeof values.driver_uuid);
    return write_struct(values, out_properties, "qiao_device_properties");
}

qiao_status qiao_device_get_limit(qiao_device* device, qiao_device_limit limit, uint64_t* out_value) {
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(out_value);
    const qiao_plugin_device_info& info = device->body.info;
    switch (limit) {
        case QIAO_DEVICE_LIMIT_MEMORY_BYTES: *out_value = info.memory_bytes; return QIAO_OK;
        case QIAO_DEVICE_LIMIT_MAX_ALLOCATION_BYTES: *out_value = info.max_allocation_bytes; return QIAO_OK;
        case QIAO_DEVICE_LIMIT_MAX_GROUP_SIZE: *out_value = info.max_group_size; return QIAO_OK;
        case QIAO_DEVICE_LIMIT_LOCAL_MEMORY_BYTES: *out_value = info.local_memory_bytes; return QIAO_OK;
        case QIAO_DEVICE_LIMIT_COMPUTE_UNITS: *out_value = info.compute_units; return QIAO_OK;
        case QIAO_DEVICE_LIMIT_SUBGROUP_WIDTH: *out_value = info.subgroup_width; return QIAO_OK;
        case QIAO_DEVICE_LIMIT_PREFERRED_GROUP_MULTIPLE: *out_value = info.preferred_group_multiple; return QIAO_OK;
        case QIAO_DEVICE_LIMIT_MAX_ARGUMENT_BYTES: *out_value = info.max_argument_bytes; return QIAO_OK;
        case QIAO_DEVICE_LIMIT_FEATURES: *out_value = info.features; return QIAO_OK;
        default: *out_value = 0; return fail(QIAO_ERROR_INVALID_ARGUMENT, "limit %u is unknown; the last is %u", limit, QIAO_DEVICE_LIMIT_FEATURES);
    }
}

qiao_status qiao_device_query_state(qiao_device* device, qiao_device_state* out_state, const char** out_reason) {
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(out_state);
    return entry([&]() -> qiao_status {
        device_refresh_state(device);
        std::lock_guard guard(device->body.state);
        *out_state = !device->body.lost.load() ? QIAO_DEVICE_STATE_OK : device->body.removed ? QIAO_DEVICE_STATE_REMOVED : QIAO_DEVICE_STATE_LOST;
        if (out_reason != nullptr) *out_reason = device->body.lost_reason.c_str();
        return QIAO_OK;
    });
}

qiao_status qiao_device_query_memory(qiao_device* device, uint64_t* out_free_bytes, uint64_t* out_total_bytes) {
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(out_free_bytes);
    QIAO_CHECK_POINTER(out_total_bytes);
    *out_free_bytes = *out_total_bytes = 0;
    return entry([&]() -> qiao_status {
        const uint64_t losses = device->body.losses.load();
        QIAO_RETURN_IF_ERROR(device_ensure_open(device));
        retire_passed(device);
        Device& body = device->body;
        if (body.tables.device.device_memory_free == nullptr) {
            const uint64_t used = body.allocated_bytes.load();
            *out_total_bytes = body.info.memory_bytes;
            *out_free_bytes = body.info.memory_bytes > used ? body.info.memory_bytes - used : 0;
            return QIAO_OK;
        }
        SlotGuard guard(body);
        if (!guard) return device_fail_lost(device);
        const qiao_status status = body.tables.device.device_memory_free(body.opened.load(), out_free_bytes, out_total_bytes);
        if (status != QIAO_OK) return device_slot_failed(device, status, "device_memory_free", losses);
        if (*out_free_bytes > *out_total_bytes) {
            return fail(QIAO_ERROR_PLUGIN, "plugin %s says that %" PRIu64 " of %" PRIu64 " bytes of %s are free", body.plugin_id.c_str(), *out_free_bytes,
                        *out_total_bytes, body.id.c_str());
        }
        return QIAO_OK;
    });
}

qiao_status qiao_device_query_clock(qiao_device* device, uint64_t* out_device_ns, uint64_t* out_host_ns) {
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(out_device_ns);
    QIAO_CHECK_POINTER(out_host_ns);
    *out_device_ns = *out_host_ns = 0;
    return entry([&]() -> qiao_status {
        const Device& body = device->body;
        if (core_keeps_time(body.tables)) {
            if (body.lost.load()) return device_fail_lost(device);
            *out_device_ns = *out_host_ns = now_ns();
            return QIAO_OK;
        }
        if (body.tables.device.device_clock == nullptr) {
            return fail(QIAO_ERROR_UNSUPPORTED, "plugin %s has no clock for %s", body.plugin_id.c_str(), body.id.c_str());
        }
        QIAO_RETURN_IF_ERROR(device_ensure_open(device));
        return device_read_clock(device, out_device_ns, out_host_ns);
    });
}

qiao_status qiao_device_synchronize(qiao_device* device, uint64_t timeout_ns) {
    QIAO_CHECK_HANDLE(device);
    return entry([&]() -> qiao_status {
        const qiao_status status = device_wait_idle(device, timeout_ns == QIAO_TIMEOUT_INFINITE ? UINT64_MAX : deadline_after(timeout_ns));
        retire_passed(device);
        if (device->body.lost.load()) return device_fail_lost(device);
        return status == QIAO_OK ? bring_results(device->body.instance, device) : status;
    });
}

qiao_status qiao_device_reset(qiao_device* device) {
    QIAO_CHECK_HANDLE(device);
    return entry([&]() -> qiao_status { return device_reset(device); });
}

qiao_status qiao_device_query_memory_kind(qiao_device* device, qiao_memory_kind kind, qiao_memory_kind_properties* out_properties) {
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(out_properties);
    const Device& body = device->body;
    QIAO_RETURN_IF_ERROR(check_memory_kind(body, memory_kinds(body), kind));
    const bool is_made = kind == QIAO_MEMORY_KIND_SHARED && emulates_shared(body);
    const qiao_memory_kind_properties values = {sizeof values, nullptr, kind, is_made ? QIAO_MEMORY_LEVEL_ARGUMENT : memory_level(body, kind),
                                                is_made ? QIAO_PROVENANCE_EMULATED : QIAO_PROVENANCE_NATIVE, 0u};
    return write_struct(values, out_properties, "qiao_memory_kind_properties");
}

qiao_status qiao_device_query_slot(qiao_device* device, uint32_t index, const char** out_name, qiao_provenance* out_provenance) {
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(out_name);
    QIAO_CHECK_POINTER(out_provenance);
    if (index >= kSlotCount) return fail(QIAO_ERROR_NOT_FOUND, "the plugin ABI has %u slots, %u was asked for", kSlotCount, index);
    const SlotInfo info = slot_info(device->body, index);
    *out_name = info.name;
    *out_provenance = info.provenance;
    return QIAO_OK;
}

qiao_status qiao_device_query_extension(qiao_device* device, uint32_t index, const char** out_name) {
    if (out_name != nullptr) *out_name = nullptr;
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(out_name);
    const auto& extensions = device->body.extensions;
    if (index >= extensions.size()) {
        return fail(QIAO_ERROR_NOT_FOUND, "%s has %zu extensions, number %u was asked for", device_name(device), extensions.size(), index);
    }
    *out_name = extensions[index].name;
    return QIAO_OK;
}

qiao_status qiao_device_get_extension(qiao_device* device, const char* name, const void** out_table, void** out_context) {
    if (out_table != nullptr) *out_table = nullptr;
    if (out_context != nullptr) *out_context = nullptr;
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(name);
    QIAO_CHECK_POINTER(out_table);
    QIAO_CHECK_POINTER(out_context);
    return entry([&]() -> qiao_status {
        const Device& body = device->body;
        std::string names;
        for (const qiao_plugin_extension& extension : body.extensions) {
            if (std::strcmp(extension.name, name) == 0) {
                QIAO_RETURN_IF_ERROR(device_ensure_open(device));
                *out_table = extension.table;
                *out_context = body.opened.load();
                return QIAO_OK;
            }
            names += (names.empty() ? "" : ", ") + std::string(extension.name);
        }
        fail(QIAO_ERROR_NOT_FOUND, "%s has no extension '%.100s'; it has: %s", body.id.c_str(), name, names.empty() ? "none" : names.c_str());
        set_remedy("another version of plugin " + body.plugin_id + " may have it; do without it where it is missing");
        return QIAO_ERROR_NOT_FOUND;
    });
}

qiao_status qiao_device_get_native(qiao_device* device, qiao_native* out_native) {
    if (out_native != nullptr) *out_native = QIAO_NATIVE_INIT;
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(out_native);
    return entry([&]() -> qiao_status {
        Device& body = device->body;
        if (body.tables.device.device_native == nullptr) return fail_no_native(body, "device");
        const uint64_t losses = device->body.losses.load();
        QIAO_RETURN_IF_ERROR(device_ensure_open(device));
        SlotGuard guard(body);
        if (!guard) return device_fail_lost(device);
        return answer_native(device, losses, body.tables.device.device_native(body.opened.load(), out_native), "device_native", out_native);
    });
}
