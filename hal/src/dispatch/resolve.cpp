// The loop is the hot path of devices without addresses; what is wrong with an address is worded apart.
#include "dispatch/resolve.h"

#include <cinttypes>
#include <cstring>

namespace qiao {
namespace {

[[gnu::cold, gnu::noinline]] qiao_status fail_address(const Kernel& kernel, const Argument& argument, uint64_t address) {
    const Device& device = kernel.device->body;
    using Table = AddressTable<qiao_memory>;
    uint64_t size_bytes = 0;
    char reason[160];
    switch (device.made_addresses->judge(address, size_bytes)) {
        case Table::Verdict::kFreed:
            std::snprintf(reason, sizeof reason, "its allocation of %" PRIu64 " bytes was freed", size_bytes);
            break;
        case Table::Verdict::kBeyond:
            std::snprintf(reason, sizeof reason, "it is %" PRIu64 " bytes from the start of an allocation of %" PRIu64 " bytes", address & Table::kMaxBytes,
                          size_bytes);
            break;
        case Table::Verdict::kAlive:
            std::snprintf(reason, sizeof reason, "its allocation of %" PRIu64 " bytes is from before the device was reset", size_bytes);
            break;
        case Table::Verdict::kForeign:
            std::snprintf(reason, sizeof reason, "it is in no allocation of %s", device.id.c_str());
            break;
    }
    fail(QIAO_ERROR_OUT_OF_RANGE, "kernel %s: argument '%s' is address 0x%" PRIx64 ": %s", kernel.name.c_str(), argument.name.c_str(), address, reason);
    set_remedy("give an address of a live allocation of this device, or 0; nothing was submitted");
    return QIAO_ERROR_OUT_OF_RANGE;
}

}  // namespace

qiao_status resolve_arguments(const Kernel& kernel, const void* block, qiao_plugin_binding* out_bindings) {
    const AddressTable<qiao_memory>& table = *kernel.device->body.made_addresses;
    for (const uint32_t position : kernel.address_arguments) {
        const Argument& argument = kernel.arguments[position];
        uint64_t address;
        std::memcpy(&address, static_cast<const std::byte*>(block) + argument.offset, sizeof address);
        const auto found = table.find(address);
        if (found.plugin_allocation == nullptr && address != 0) [[unlikely]] return fail_address(kernel, argument, address);
        *out_bindings++ = {found.plugin_allocation, found.offset};
    }
    return QIAO_OK;
}

}  // namespace qiao
