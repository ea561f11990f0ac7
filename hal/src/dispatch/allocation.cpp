// The slots are entered one at a time where the plugin wants that; what an error says is the plugin's word for it.
#include "dispatch/allocation.h"

#include <cinttypes>

#include "dispatch/device.h"
#include "dispatch/memory_level.h"
#include "dispatch/retire.h"
#include "dispatch/tables.h"

namespace qiao {

namespace {

// What cannot be used is given back.
qiao_status check_allocation(qiao_device* device, const qiao_memory_desc& desc, const qiao_plugin_allocation& allocation, const char* slot) {
    if (allocation.allocation == nullptr) return device_fail_empty(device, slot, "allocation");
    if (allocation.size_bytes < desc.size_bytes) {
        free_allocation(device, allocation.allocation);
        return fail(QIAO_ERROR_PLUGIN, "plugin %s gave an allocation of %" PRIu64 " bytes for %" PRIu64, device->body.plugin_id.c_str(),
                    allocation.size_bytes, desc.size_bytes);
    }
    if (allocation.address != 0 || device->body.made_addresses != nullptr) return QIAO_OK;
    free_allocation(device, allocation.allocation);
    return fail(QIAO_ERROR_PLUGIN, "plugin %s gave no address for an allocation of %s, but does not say that the device has none",
                device->body.plugin_id.c_str(), device->body.id.c_str());
}

// `call` enters the slot with a request for these bytes, and what comes is checked.
template <class Call>
qiao_status enter_slot(qiao_device* device, uint64_t losses, const qiao_memory_desc& desc, uint64_t size_bytes, const char* slot, Call&& call, qiao_plugin_allocation& out) {
    Device& body = device->body;
    const uint64_t flags = (desc.flags & QIAO_MEMORY_SHAREABLE) != 0 ? QIAO_PLUGIN_MEMORY_SHAREABLE : 0;
    const qiao_plugin_memory_desc request = {sizeof request, nullptr, size_bytes, desc.alignment, desc.kind, 0u, flags};
    WithSlack<qiao_plugin_allocation> answer;
    qiao_status status;
    {
        SlotGuard guard(body);
        if (!guard) return device_fail_lost(device);
        status = call(body.tables.memory, body.opened.load(), &request, &answer.value);
    }
    out = answer.value;
    if (status != QIAO_OK && body.lost.load()) return device_fail_lost(device);
    if (status != QIAO_OK) return device_slot_failed(device, status, slot, losses);
    return check_allocation(device, desc, out, slot);
}

}  // namespace

qiao_status make_allocation(qiao_device* device, uint64_t losses, const qiao_memory_desc& desc, qiao_plugin_allocation& out) {
    const auto allocate = [](const auto& slots, auto... arguments) { return slots.memory_allocate(arguments...); };
    QIAO_RETURN_IF_ERROR(enter_slot(device, losses, desc, (desc.size_bytes + 15) & ~uint64_t{15}, "memory_allocate", allocate, out));
    const qiao_status status = check_memory_level(device->body, desc.kind, out);
    if (status != QIAO_OK) free_allocation(device, out.allocation);
    return status;
}

qiao_status import_allocation(qiao_device* device, uint64_t losses, const qiao_memory_desc& desc, const qiao_plugin_import& import, qiao_plugin_allocation& out) {
    const auto call = [&](const auto& slots, void* opened, const auto* request, auto* answer) { return slots.memory_import(opened, request, &import, answer); };
    return enter_slot(device, losses, desc, desc.size_bytes, "memory_import", call, out);
}

qiao_status wrap_allocation(qiao_device* device, uint64_t losses, const qiao_memory_desc& desc, const qiao_native& native, qiao_plugin_allocation& out) {
    const auto call = [&](const auto& slots, void* opened, const auto* request, auto* answer) { return slots.memory_wrap(opened, request, &native, answer); };
    return enter_slot(device, losses, desc, desc.size_bytes, "memory_wrap", call, out);
}

void free_allocation(qiao_device* device, void* allocation) {
    destroy_in_plugin(device, [&body = device->body, allocation] { body.tables.memory.memory_free(body.opened.load(), allocation); });
}

}  // namespace qiao
