// The slots are entered one at a time where the plugin wants that; what an error says is the plugin's word for it.
#include "dispatch/allocation.h"

#include <cinttypes>

#include "dispatch/device.h"
#include "dispatch/memory_level.h"
#include "dispatch/retire.h"
#include "dispatch/tables.h"

namespace qiao {

qiao_status make_allocation(qiao_device* device, uint64_t losses, const qiao_memory_desc& desc, qiao_plugin_allocation& out) {
    Device& body = device->body;
    const qiao_plugin_memory_desc request = {sizeof request, nullptr, (desc.size_bytes + 15) & ~uint64_t{15}, desc.alignment, desc.kind, 0u,
                                             (desc.flags & QIAO_MEMORY_SHAREABLE) != 0 ? QIAO_PLUGIN_MEMORY_SHAREABLE : 0};
    WithSlack<qiao_plugin_allocation> answer;
    qiao_status status;
    {
        SlotGuard guard(body);
        if (!guard) return device_fail_lost(device);
        status = body.tables.memory.memory_allocate(body.opened.load(), &request, &answer.value);
    }
    out = answer.value;
    if (status != QIAO_OK && body.lost.load()) return device_fail_lost(device);
    if (status != QIAO_OK) return device_slot_failed(device, status, "memory_allocate", losses);
    QIAO_RETURN_IF_ERROR(check_allocation(device, desc, out, "memory_allocate"));
    status = check_memory_level(body, desc.kind, out);
    if (status != QIAO_OK) free_allocation(device, out.allocation);
    return status;
}

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

void free_allocation(qiao_device* device, void* allocation) {
    destroy_in_plugin(device, [&body = device->body, allocation] { body.tables.memory.memory_free(body.opened.load(), allocation); });
}

}  // namespace qiao
