// A launch is a barrier, a pipeline where it changed, the arguments, and a dispatch.
#include <algorithm>
#include <bit>

#include "recording.h"

namespace qiao::vulkan {
namespace {

void grow(Queue& queue, uint32_t number) {
    const uint32_t capacity = std::bit_ceil(number + 1);
    auto entries = std::make_unique<Queue::Entry[]>(capacity);
    std::copy_n(queue.entries.get(), queue.mask + 1, entries.get());
    queue.entries = std::move(entries);
    queue.mask = capacity - 1;
}

// Another shape than this queue's last launch of the kernel had.
[[gnu::noinline]] const Pipeline* change_pipeline(Queue& queue, Kernel& kernel, const qiao_plugin_geometry& geometry,
                                                  const void* block, qiao_status* out_status) noexcept {
    *out_status = guarded(queue.device->host, "kernel launch", [&]() -> qiao_status {
        if (kernel.number > queue.mask) grow(queue, kernel.number);
        return QIAO_OK;
    });
    if (*out_status != QIAO_OK) return nullptr;
    const Pipeline* pipeline = find_pipeline(kernel, geometry, block, out_status);
    if (pipeline != nullptr) queue.entries[kernel.number] = {kernel.serial, geometry.generation, pipeline};
    return pipeline;
}

inline const Pipeline* pipeline_of(Queue& queue, Kernel& kernel, const qiao_plugin_geometry& geometry, const void* block,
                                   qiao_status* out_status) {
    const Queue::Entry& entry = queue.entries[kernel.number & queue.mask];
    if (entry.serial != kernel.serial || entry.generation != geometry.generation) [[unlikely]]
        return change_pipeline(queue, kernel, geometry, block, out_status);
    // Geometries know the sum of local memory only.
    if (kernel.local_count != 0 &&
        std::memcmp(entry.pipeline->local_bytes.get(), static_cast<const char*>(block) + kernel.locals_offset,
                    size_t{4} * kernel.local_count) != 0) [[unlikely]]
        return change_pipeline(queue, kernel, geometry, block, out_status);
    return entry.pipeline;
}

// The pipeline the last launch of the batch used stays bound.
inline void bind_pipeline(const DeviceSymbols& vk, Batch& batch, const Pipeline& pipeline) {
    if (batch.bound == pipeline.pipeline) return;
    vk.vkCmdBindPipeline(batch.commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.pipeline);
    batch.bound = pipeline.pipeline;
}

// Of a launch that will have this value; nothing for a kernel that prints nothing.
[[gnu::noinline]] qiao_status take_output(Queue& queue, const Kernel& kernel, uint64_t value, Buffer* out) noexcept {
    if (kernel.printing == nullptr) return QIAO_OK;
    Device& device = *queue.device;
    return guarded(device.host, "kernel launch", [&]() -> qiao_status {
        uint64_t reached = 0;
        VkResult result = queue.outputs.waiting() ? ask_reached(queue, &reached) : VK_SUCCESS; // buffers come back
        if (result == VK_SUCCESS) result = queue.outputs.take(device, kernel.printing, value, out);
        return result == VK_SUCCESS ? static_cast<qiao_status>(QIAO_OK) : device_failed(device, result, "a buffer for what a kernel prints");
    });
}

// A grid that the device takes, whose groups find how many they are.
qiao_status dispatch_folded(Device& device, Batch& batch, const Kernel& kernel, const qiao_plugin_geometry& geometry) noexcept {
    Grid grid;
    fold(geometry.group_count, device.record->properties.limits.maxComputeWorkGroupCount, &grid); // find_pipeline has seen that it can be
    const qiao_status status = bind_groups(device, batch.arguments, batch.commands, kernel, geometry.group_count);
    if (status == QIAO_OK) device.vk.vkCmdDispatch(batch.commands, grid.groups[0], grid.groups[1], grid.groups[2]);
    return status;
}

template <bool kFolded>
[[gnu::always_inline]] inline qiao_status record(Queue& queue, Kernel& kernel, const Pipeline& pipeline, const qiao_plugin_geometry& geometry,
                                                 const void* block, const qiao_plugin_binding* bindings, uint64_t value) {
    qiao_status status = QIAO_OK;
    if ((kernel.bound || kFolded) && queue.open != nullptr && !queue.open->arguments.has_room(kernel)) [[unlikely]] {
        if (status = submit(queue); status != QIAO_OK) return status;
    }
    if (status = begin_operation(queue); status != QIAO_OK) [[unlikely]]
        return status;
    const DeviceSymbols& vk = queue.device->vk;
    Batch& batch = *queue.open;
    bind_pipeline(vk, batch, pipeline);
    if (kernel.bound) [[unlikely]] {
        Buffer output;
        status = take_output(queue, kernel, value, &output);
        if (status == QIAO_OK) status = bind_arguments(*queue.device, batch.arguments, batch.commands, kernel, block, bindings, output);
        if (status != QIAO_OK) return status;
    } else if (kernel.push_bytes != 0) {
        vk.vkCmdPushConstants(batch.commands, kernel.layout, VK_SHADER_STAGE_COMPUTE_BIT, kernel.push_offset, kernel.push_bytes, block);
    }
    if (kFolded) {
        if (status = dispatch_folded(*queue.device, batch, kernel, geometry); status != QIAO_OK) return status;
    } else {
        vk.vkCmdDispatch(batch.commands, geometry.group_count[0], geometry.group_count[1], geometry.group_count[2]);
    }
    return end_operation(queue, value);
}

[[gnu::noinline]] qiao_status record_folded(Queue& queue, Kernel& kernel, const Pipeline& pipeline, const qiao_plugin_geometry& geometry,
                                            const void* block, const qiao_plugin_binding* bindings, uint64_t value) {
    return record<true>(queue, kernel, pipeline, geometry, block, bindings, value);
}

} // namespace

qiao_status launch(Queue& queue, Kernel& kernel, const qiao_plugin_geometry& geometry, const void* block,
                   const qiao_plugin_binding* bindings, uint64_t value) {
    qiao_status status = QIAO_OK;
    const Pipeline* pipeline = pipeline_of(queue, kernel, geometry, block, &status);
    if (pipeline == nullptr) [[unlikely]]
        return status;
    if (pipeline->shape.fold != kAsItIs) [[unlikely]]
        return record_folded(queue, kernel, *pipeline, geometry, block, bindings, value);
    return record<false>(queue, kernel, *pipeline, geometry, block, bindings, value);
}

} // namespace qiao::vulkan
