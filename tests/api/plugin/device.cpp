// Devices: their limits, loss and reset. Loss ends running kernels early; a reset forgets it.
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "control.h"
#include "queued.h"

namespace queued {

qiao_status fail_lost(Device& device) {
    const std::lock_guard guard(device.mutex);
    return device.plugin->host.fail({.status = QIAO_ERROR_DEVICE_LOST, .message = device.lost ? device.lost_reason : "it was reset"});
}

Inside::Inside(Device& device, const char* slot) : device_(device) {
    if (device_.inside.fetch_add(1) != 0 && !device_.traits->free_threaded) {
        violation("%s was entered while another slot of the device ran, and it is not free-threaded", slot);
    }
    {
        const std::lock_guard guard(device_.mutex);
        if (device_.jammed != slot) return;
        device_.jammed.clear();
        device_.stuck = true;
    }
    while (device_.stuck) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

Destroying::Destroying(Device& device, const char* slot) : Inside(device, slot) {
    if (device.resetting) violation("%s while the device is being reset", slot);
}

namespace {

constexpr uint64_t kMemoryBytes = 64u << 20;

uint64_t now_ns() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

qiao_status device_count(void*, uint32_t* out_count) {
    const bool with_liar = std::getenv("QIAO_TEST_LIAR") != nullptr;  // what the core says of it would stand in every test's log
    *out_count = kTraits.size() - (with_liar ? 0 : 1);
    return QIAO_OK;
}

qiao_status device_query(void*, uint32_t index, qiao_plugin_device_info* out_info) {
    qiao_plugin_device_info info{};
    const Traits& traits = kTraits[index];
    info.flags = QIAO_PLUGIN_DEVICE_SIMULATED | (traits.free_threaded ? QIAO_PLUGIN_DEVICE_FREE_THREADED : 0);
    info.roles = QIAO_PLUGIN_ROLE_COMPUTE;
    qiao::plugin::copy_text(info.name, traits.name);
    qiao::plugin::copy_text(info.vendor, "Qiao tests");
    qiao::plugin::copy_text(info.driver, "1.0");
    qiao::plugin::copy_text(info.target, "fixture");
    qiao::plugin::copy_text(info.note, "host memory, kernels built in");
    info.uuid[0] = static_cast<uint8_t>(index + 1);
    info.memory_bytes = kMemoryBytes;
    info.max_allocation_bytes = kMemoryBytes / 2;
    info.features = QIAO_FEATURE_INT64 | (traits.addresses ? QIAO_FEATURE_ADDRESSES : 0);
    if (!traits.addresses) info.flags |= QIAO_PLUGIN_DEVICE_ARGUMENTS_RESOLVED;
    info.memory_kinds = 1u << QIAO_MEMORY_KIND_DEVICE;
    if (traits.host_pointers) info.memory_kinds |= 1u << QIAO_MEMORY_KIND_HOST | 1u << QIAO_MEMORY_KIND_SHARED;
    if (traits.lies) {
        info.memory_levels[QIAO_MEMORY_KIND_HOST] = QIAO_PLUGIN_MEMORY_LEVEL(QIAO_MEMORY_LEVEL_POINTER);
        info.memory_levels[QIAO_MEMORY_KIND_SHARED] = QIAO_PLUGIN_MEMORY_LEVEL(9u);
    }
    info.compute_units = 1;
    info.max_group_size = 256;
    info.local_memory_bytes = 16u << 10;
    for (uint32_t axis = 0; axis < 3; ++axis) {
        info.max_group[axis] = axis == 2 ? 64 : 256;
        info.max_group_count[axis] = 65535;
    }
    info.subgroup_width = 1;
    info.preferred_group_multiple = 8;
    info.max_argument_bytes = QIAO_MAX_ARGUMENT_BYTES;
    info.queue_priorities = 2;
    info.address_bits = 64;
    info.formats = "fixture";
    info.tables = traits.tables;
    qiao::plugin::write_growing(out_info, info);
    return QIAO_OK;
}

qiao_status device_open(void* plugin, uint32_t index, uint64_t device_token, void** out_device) {
    auto* device = new Device;
    device->plugin = static_cast<Plugin*>(plugin);
    device->traits = &kTraits[index];
    device->token = device_token;
    *out_device = device;
    return QIAO_OK;
}

void device_close(void* handle) {
    auto* device = static_cast<Device*>(handle);
    if (!device->queues.empty()) violation("device_close while %zu queues exist", device->queues.size());
    if (!device->programs.empty()) violation("device_close while %zu programs exist", device->programs.size());
    if (!device->allocations.empty()) violation("device_close while %zu allocations exist", device->allocations.size());
    delete device;
}

qiao_status device_synchronize(void* handle, uint64_t) {
    auto& device = *static_cast<Device*>(handle);
    const Inside inside(device, "device_synchronize");
    return QIAO_OK;  // kernel_launch is not used by a core that has queues
}

qiao_status device_state(void* handle, qiao_plugin_device_state* out_state, char* reason, size_t reason_size) {
    auto& device = *static_cast<Device*>(handle);
    const Inside inside(device, "device_state");
    *out_state = device.removed ? QIAO_PLUGIN_DEVICE_STATE_REMOVED : device.lost ? QIAO_PLUGIN_DEVICE_STATE_LOST : QIAO_PLUGIN_DEVICE_STATE_OK;
    qiao::plugin::copy_text(reason, reason_size, device.removed ? "it was pulled out" : device.lost ? "the kernel 'lose' lost it" : "");
    return QIAO_OK;
}

bool is_in_use(Device& device) {
    const std::lock_guard guard(device.mutex);
    return std::any_of(device.allocations.begin(), device.allocations.end(), [](const auto& entry) { return entry.second->users != 0; });
}

qiao_status device_reset(void* handle) {
    auto& device = *static_cast<Device*>(handle);
    device.resetting = true;
    const Inside inside(device, "device_reset");
    device.epoch.fetch_add(1);
    while (is_in_use(device)) std::this_thread::yield();  // kernels see that their time is over
    device.lost = false;
    device.resetting = false;
    return QIAO_OK;
}

qiao_status device_memory_free(void* handle, uint64_t* out_free_bytes, uint64_t* out_total_bytes) {
    auto& device = *static_cast<Device*>(handle);
    const Inside inside(device, "device_memory_free");
    const std::lock_guard guard(device.mutex);
    *out_free_bytes = kMemoryBytes - device.used_bytes;
    *out_total_bytes = kMemoryBytes;
    return QIAO_OK;
}

qiao_status device_clock(void* handle, uint64_t* out_device_ns, uint64_t* out_host_ns) {
    auto& device = *static_cast<Device*>(handle);
    const Inside inside(device, "device_clock");
    *out_host_ns = now_ns();
    *out_device_ns = *out_host_ns;
    return QIAO_OK;
}

void control_lose(void* handle, const char* reason) {
    auto& device = *static_cast<Device*>(handle);
    {
        const std::lock_guard guard(device.mutex);
        device.lost_reason = reason;
    }
    device.lost = true;
    device.plugin->host.device_lost(device.token, reason);
}

void control_jam(void* handle, const char* slot) {
    auto& device = *static_cast<Device*>(handle);
    const std::lock_guard guard(device.mutex);
    device.jammed = slot;
}

void control_unjam(void* handle) {
    auto& device = *static_cast<Device*>(handle);
    const std::lock_guard guard(device.mutex);
    device.jammed.clear();
    device.stuck = false;
}

uint32_t control_is_stuck(void* handle) {
    return static_cast<Device*>(handle)->stuck ? 1 : 0;
}

void control_remove(void* handle) {
    auto& device = *static_cast<Device*>(handle);
    device.removed = true;
    device.lost = true;
}

uint32_t control_live(void* handle) {
    auto& device = *static_cast<Device*>(handle);
    const std::lock_guard guard(device.mutex);
    return static_cast<uint32_t>(device.allocations.size() + device.programs.size() + device.queues.size());
}

void control_let_go(void* handle) {
    static_cast<Device*>(handle)->let_go = true;
}

uint32_t control_has(void* handle, const char* slot) {
    const std::string name = slot;
    if (name == "kernel_launch") return static_cast<Device*>(handle)->traits->tables->queue == nullptr ? 1 : 0;
    if (name.starts_with("queue_")) return static_cast<Device*>(handle)->traits->tables->queue != nullptr ? 1 : 0;
    return 1;
}

constexpr queued_control kControl = {sizeof(queued_control), control_lose, control_jam,  control_unjam, control_is_stuck,
                                     control_remove,         control_has,  control_live, control_let_go};

}  // namespace

const qiao_plugin_extension kExtensions[] = {{QUEUED_CONTROL, &kControl}, {nullptr, nullptr}};

const qiao_plugin_device_ops kDeviceOps = {sizeof(qiao_plugin_device_ops),
                                           device_count,
                                           device_query,
                                           device_open,
                                           device_close,
                                           device_synchronize,
                                           device_state,
                                           device_reset,
                                           device_memory_free,
                                           device_clock,
                                           nullptr};
const qiao_plugin_device_ops kLeastDeviceOps = {sizeof(qiao_plugin_device_ops),
                                                device_count,
                                                device_query,
                                                device_open,
                                                device_close,
                                                device_synchronize,
                                                nullptr,
                                                nullptr,
                                                nullptr,
                                                nullptr,
                                                nullptr};

}  // namespace queued
