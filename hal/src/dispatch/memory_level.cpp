// A claim is about every allocation, so each one is measured against it: that a host pointer is the address is never assumed.
#include "dispatch/memory_level.h"

#include <cinttypes>
#include <cstdio>
#include <iterator>

#include "object/error.h"

namespace qiao {
namespace {

qiao_memory_level level_that_follows(const Device& device, qiao_memory_kind kind) {
    const bool follows_addresses = (device.info.features & QIAO_FEATURE_ADDRESSES) != 0;
    return kind == QIAO_MEMORY_KIND_DEVICE && follows_addresses ? QIAO_MEMORY_LEVEL_POINTER : QIAO_MEMORY_LEVEL_ARGUMENT;
}

// Why the claim cannot be; null if it can.
const char* contradiction(const Device& device, uint32_t claim) {
    if (claim > QIAO_PLUGIN_MEMORY_LEVEL(QIAO_MEMORY_LEVEL_SYSTEM)) return "the highest level is 4";
    if (claim < QIAO_PLUGIN_MEMORY_LEVEL(QIAO_MEMORY_LEVEL_POINTER)) return nullptr;
    if (device.made_addresses != nullptr) return "the device has no addresses of its own";
    return (device.info.features & QIAO_FEATURE_ADDRESSES) != 0 ? nullptr : "its kernels do not follow addresses inside data (QIAO_FEATURE_ADDRESSES)";
}

// Whether host and device must use one pointer.
bool promises_one_pointer(qiao_memory_level level, qiao_memory_kind kind) {
    return level >= QIAO_MEMORY_LEVEL_COHERENT || (level == QIAO_MEMORY_LEVEL_POINTER && kind != QIAO_MEMORY_KIND_DEVICE);
}

}  // namespace

void settle_memory_levels(Device& device) {
    for (qiao_memory_kind kind = QIAO_MEMORY_KIND_DEVICE; kind < std::size(device.info.memory_levels); ++kind) {
        uint32_t& claim = device.info.memory_levels[kind];
        const char* reason = claim == 0 ? nullptr : contradiction(device, claim);
        if (reason == nullptr) continue;
        char text[256];
        std::snprintf(text, sizeof text, "plugin %s claims level %u for %s memory of %s, but %s: the claim is void", device.plugin_id.c_str(),
                      claim - QIAO_PLUGIN_MEMORY_LEVEL(0u), memory_kind_name(kind), device.id.c_str(), reason);
        device.instance->body.log.write(QIAO_LOG_LEVEL_ERROR, "core", text);
        claim = 0;
    }
}

qiao_memory_level memory_level(const Device& device, qiao_memory_kind kind) {
    const uint32_t claim = device.info.memory_levels[kind];
    return claim != 0 ? claim - QIAO_PLUGIN_MEMORY_LEVEL(0u) : level_that_follows(device, kind);
}

qiao_status check_memory_level(const Device& device, qiao_memory_kind kind, const qiao_plugin_allocation& allocation) {
    const qiao_memory_level level = memory_level(device, kind);
    const auto host_address = reinterpret_cast<uintptr_t>(allocation.host_pointer);
    if (!promises_one_pointer(level, kind) || host_address == allocation.address) return QIAO_OK;
    fail(QIAO_ERROR_PLUGIN,
         "plugin %s claims level %u for %s memory of %s, where host pointer and address are one, and gave an allocation with host pointer 0x%" PRIxPTR
         " and address 0x%" PRIx64,
         device.plugin_id.c_str(), level, memory_kind_name(kind), device.id.c_str(), host_address, allocation.address);
    set_remedy("use another kind of memory; report this to the plugin's maker");
    return QIAO_ERROR_PLUGIN;
}

}  // namespace qiao
