// Launches on cards whose addresses coincide: direct arguments are translated, all else is as on other cards.
#include "coinciding.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <iterator>

#include "device.h"
#include "queue.h"

namespace qiao::mock_plugin {

uint64_t CoincidingAddresses::give(uint64_t model_address, uint64_t size_bytes, uint64_t alignment) {
    const std::lock_guard lock(mutex_);
    const uint64_t number = (next_ + alignment - 1) / alignment * alignment;
    ranges_[number] = {model_address, size_bytes};
    next_ = number + size_bytes + kGap;
    return number;
}

void CoincidingAddresses::take_back(uint64_t number) {
    const std::lock_guard lock(mutex_);
    ranges_.erase(number);
}

uint64_t CoincidingAddresses::model_address(uint64_t number) const {
    const std::lock_guard lock(mutex_);
    const auto behind = ranges_.upper_bound(number);
    if (behind == ranges_.begin()) return 0;
    const auto& [first, range] = *std::prev(behind);
    return number - first <= range.size_bytes ? range.model_address + (number - first) : 0;
}

namespace {

// A block with the model's addresses in it.
class TranslatedBlock {
  public:
    qiao_status translate(const Device& device, const mock::Kernel& kernel, const void* block) {
        std::memcpy(bytes, block, kernel.desc().block_size);
        for (const mock::Kernel::AddressSlot& slot : kernel.addresses()) {
            uint64_t number;
            std::memcpy(&number, bytes + slot.offset, sizeof number);
            const uint64_t address = number == 0 ? 0 : device.numbers.model_address(number);
            if (number != 0 && address == 0) return refuse(device, kernel, slot, number);
            std::memcpy(bytes + slot.offset, &address, sizeof address);
        }
        return QIAO_OK;
    }

    alignas(16) std::byte bytes[mock::kMaxBlockBytes];

  private:
    static qiao_status refuse(const Device& device, const mock::Kernel& kernel, const mock::Kernel::AddressSlot& slot, uint64_t number) {
        char address[24];
        std::snprintf(address, sizeof address, "0x%" PRIx64, number);
        return device.host.fail({.status = QIAO_ERROR_OUT_OF_RANGE,
                                 .message = "kernel " + kernel.desc().name + ": argument " + std::to_string(slot.index) + " \"" +
                                            kernel.desc().arguments[slot.index].name + "\": " + address + " is in no allocation of " +
                                            device.card->profile().name,
                                 .remedy = "pass an address of memory that was allocated on this card"});
    }
};

qiao_status queue_launch(void* pointer, void* kernel, const qiao_plugin_geometry* geometry, const void* block,
                         const qiao_plugin_binding*, uint64_t value) {
    const Device& device = *plugin::object<Queue>(pointer).device;
    TranslatedBlock translated;
    const qiao_status status = translated.translate(device, plugin::object<const mock::Kernel>(kernel), block);
    return status != QIAO_OK ? status : mock_queue_ops.queue_launch(pointer, kernel, geometry, translated.bytes, nullptr, value);
}

qiao_status kernel_launch(void* pointer, void* kernel, const qiao_plugin_geometry* geometry, const void* block, const qiao_plugin_binding*) {
    const Device& device = plugin::object<Device>(pointer);
    TranslatedBlock translated;
    const qiao_status status = translated.translate(device, plugin::object<const mock::Kernel>(kernel), block);
    return status != QIAO_OK ? status : mock_program_ops.kernel_launch(pointer, kernel, geometry, translated.bytes, nullptr);
}

const qiao_plugin_program_ops program_ops = [] {
    qiao_plugin_program_ops ops = mock_program_ops;
    ops.kernel_launch = kernel_launch;
    return ops;
}();
const qiao_plugin_queue_ops queue_ops = [] {
    qiao_plugin_queue_ops ops = mock_queue_ops;
    ops.queue_launch = queue_launch;
    return ops;
}();
const qiao_plugin_device_ops t0_device_ops = required_of(mock_device_ops);
const qiao_plugin_memory_ops t0_memory_ops = required_of(mock_memory_ops);

} // namespace

const qiao_plugin_tables mock_coinciding_tables = {
    sizeof(qiao_plugin_tables), &mock_device_ops, &mock_memory_ops, &program_ops, &queue_ops, nullptr, &mock_link_ops,
};
const qiao_plugin_tables mock_coinciding_t0_tables = {
    sizeof(qiao_plugin_tables), &t0_device_ops, &t0_memory_ops, &program_ops, nullptr, nullptr, nullptr,
};

} // namespace qiao::mock_plugin
