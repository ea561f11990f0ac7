// Queues: their life, blocking calls on the immediate ones, and the slots. See queue.h.
#include "queue.h"

#include <algorithm>

#include "recording.h"

namespace qiao::vulkan {

// ---------------------------------------------------------------------------------------------- life

namespace {

Lane& least_used(Device& device) {
    return **std::min_element(device.lanes.begin(), device.lanes.end(),
                              [](const auto& a, const auto& b) { return a->users < b->users; });
}

VkResult create_stamps(Queue& queue) {
    VkQueryPoolCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
    info.queryType = VK_QUERY_TYPE_TIMESTAMP;
    info.queryCount = 2 * kStamps;
    queue.stamp_values = std::make_unique<uint64_t[]>(kStamps);
    return queue.device->vk.vkCreateQueryPool(queue.device->device, &info, nullptr, &queue.stamps);
}

} // namespace

static qiao_status make_queue(Device& device, Lane* lane, bool profiling, Queue** out) {
    auto queue = std::make_unique<Queue>();
    queue->device = &device;
    queue->entries = std::make_unique<Queue::Entry[]>(16);
    queue->mask = 15;
    VkResult result = create_timeline(device, &queue->timeline);
    if (result == VK_SUCCESS && profiling) result = create_stamps(*queue);
    if (result != VK_SUCCESS) return device_failed(device, result, text("a queue on ", device.record->info.name));
    std::lock_guard lock(device.mutex);
    queue->lane = lane != nullptr ? lane : &least_used(device);
    ++queue->lane->users;
    *out = queue.release();
    return QIAO_OK;
}

qiao_status create_queue(Device& device, bool profiling, Queue** out) {
    if (profiling && device.record->families.compute.timestamp_bits == 0)
        return device.host.fail({.status = QIAO_ERROR_UNSUPPORTED,
                                 .message = text(device.record->info.name, "'s queues keep no timestamps"),
                                 .remedy = "create the queue without profiling"});
    return make_queue(device, nullptr, profiling, out);
}

qiao_status create_queue_on(Device& device, Lane& lane, Queue** out) {
    return make_queue(device, &lane, false, out);
}

void destroy_queue(Queue* queue) {
    Device& device = *queue->device;
    {
        std::lock_guard lock(device.mutex);
        --queue->lane->users;
    }
    for (const auto& batch : queue->batches)
        destroy_batch(device, *batch);
    if (!device.lost.load(std::memory_order_acquire)) queue->outputs.deliver(device, UINT64_MAX);
    queue->outputs.destroy(device);
    destroy_buffer(device, queue->staging);
    if (queue->stamps != VK_NULL_HANDLE) device.vk.vkDestroyQueryPool(device.device, queue->stamps, nullptr);
    delete queue;
}

// ---------------------------------------------------------------------------------------------- blocking calls

namespace {

qiao_status submit_and_wait(Queue& queue, uint64_t value) {
    queue.recorded = value;
    if (queue.open != nullptr)
        if (const qiao_status status = submit(queue); status != QIAO_OK) return status;
    const qiao_status status = wait_timeline(*queue.timeline, value, QIAO_TIMEOUT_INFINITE);
    if (status == QIAO_OK) note_reached(queue, value);
    return status;
}

} // namespace

qiao_status staging_of(Queue& queue, Buffer** out) {
    Device& device = *queue.device;
    if (queue.staging.buffer == VK_NULL_HANDLE) {
        const VkResult result =
            create_buffer(device, kStagingBytes, device.record->types.staging,
                          VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT, &queue.staging);
        if (result != VK_SUCCESS) return device_failed(device, result, "a staging buffer");
    }
    *out = &queue.staging;
    return QIAO_OK;
}

qiao_status copy_and_wait(Queue& queue, VkBuffer source, VkBuffer target, const VkBufferCopy& region) {
    if (const qiao_status status = begin_operation(queue); status != QIAO_OK) return status;
    queue.device->vk.vkCmdCopyBuffer(queue.open->commands, source, target, 1, &region);
    return submit_and_wait(queue, queue.recorded + 1);
}

qiao_status stamp_now(Queue& queue, uint64_t* out_ticks, uint64_t* out_before_ns, uint64_t* out_after_ns) {
    const DeviceSymbols& vk = queue.device->vk;
    const qiao_host_api* host = queue.device->host.api();
    if (queue.stamps == VK_NULL_HANDLE)
        if (const VkResult result = create_stamps(queue); result != VK_SUCCESS)
            return device_failed(*queue.device, result, "a pool of timestamps");
    if (const qiao_status status = begin_operation(queue); status != QIAO_OK) return status;
    stamp(queue, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, 1);
    *out_before_ns = host->now_ns(host->host);
    if (const qiao_status status = submit_and_wait(queue, queue.recorded + 1); status != QIAO_OK) return status;
    *out_after_ns = host->now_ns(host->host);
    const uint32_t slot = static_cast<uint32_t>(queue.stamp_count % kStamps);
    const VkResult result = vk.vkGetQueryPoolResults(queue.device->device, queue.stamps, 2 * slot + 1, 1, sizeof *out_ticks,
                                                     out_ticks, sizeof *out_ticks, VK_QUERY_RESULT_64_BIT);
    return result == VK_SUCCESS ? static_cast<qiao_status>(QIAO_OK) : device_failed(*queue.device, result, "a timestamp");
}

uint64_t nanoseconds_of(const Device& device, uint64_t ticks) {
    const uint32_t bits = device.record->families.compute.timestamp_bits;
    if (bits < 64) ticks &= (uint64_t{1} << bits) - 1;
    const double period = static_cast<double>(device.record->properties.limits.timestampPeriod);
    return period == 1.0 ? ticks : static_cast<uint64_t>(static_cast<long double>(ticks) * static_cast<long double>(period));
}

// Of launches that have run and that nobody waited for one by one.
static void deliver_outputs(Device& device) {
    std::lock_guard lock(device.mutex); // so that queues stay
    uint64_t reached = 0;
    for (Queue* queue : device.queues)
        if (queue->outputs.waiting()) ask_reached(*queue, &reached);
    if (device.immediate->outputs.waiting()) ask_reached(*device.immediate, &reached);
}

qiao_status synchronize(Device& device, uint64_t timeout_ns) {
    std::vector<std::pair<std::shared_ptr<Timeline>, uint64_t>> waits;
    {
        std::lock_guard lock(device.mutex);
        for (const Queue* queue : device.queues)
            waits.emplace_back(queue->timeline, queue->submitted.load(std::memory_order_acquire));
    }
    waits.emplace_back(device.immediate->timeline, device.immediate->submitted.load(std::memory_order_acquire));
    const qiao_host_api* host = device.host.api();
    const uint64_t start = host->now_ns(host->host);
    for (const auto& [timeline, value] : waits) {
        const uint64_t passed = host->now_ns(host->host) - start;
        const uint64_t left = timeout_ns == QIAO_TIMEOUT_INFINITE ? timeout_ns : timeout_ns - std::min(timeout_ns, passed);
        if (const qiao_status status = wait_timeline(*timeline, value, left); status != QIAO_OK) return status;
    }
    deliver_outputs(device);
    return QIAO_OK;
}

// ---------------------------------------------------------------------------------------------- slots

static qiao_status vulkan_queue_create(void* device_pointer, const qiao_plugin_queue_desc* desc, void** out_queue) {
    Device& device = object<Device>(device_pointer);
    return guarded(device.host, "queue_create", [&]() -> qiao_status {
        Queue* queue = nullptr;
        const qiao_status status = create_queue(device, (desc->flags & QIAO_PLUGIN_QUEUE_PROFILING) != 0, &queue);
        if (status != QIAO_OK) return status;
        std::lock_guard lock(device.mutex);
        device.queues.push_back(queue);
        *out_queue = queue;
        return QIAO_OK;
    });
}

static void vulkan_queue_destroy(void* queue_pointer) {
    auto* queue = static_cast<Queue*>(queue_pointer);
    {
        std::lock_guard lock(queue->device->mutex);
        std::erase(queue->device->queues, queue);
    }
    destroy_queue(queue);
}

static qiao_status vulkan_queue_launch(void* queue_pointer, void* kernel_pointer, const qiao_plugin_geometry* geometry,
                                       const void* block, const qiao_plugin_binding* bindings, uint64_t value) {
    return launch(object<Queue>(queue_pointer), object<Kernel>(kernel_pointer), *geometry, block, bindings, value);
}

qiao_status vulkan_kernel_launch(void* device_pointer, void* kernel_pointer, const qiao_plugin_geometry* geometry,
                                        const void* block, const qiao_plugin_binding* bindings) {
    Device& device = object<Device>(device_pointer);
    std::lock_guard lock(device.immediate_mutex);
    Queue& queue = *device.immediate;
    const qiao_status status = launch(queue, object<Kernel>(kernel_pointer), *geometry, block, bindings, queue.recorded + 1);
    return status == QIAO_OK && has_unsubmitted(queue) ? submit(queue) : status;
}

static bool overlap(const qiao_plugin_copy& copy) {
    if (copy.source.allocation != copy.target.allocation) return false;
    const auto end_of = [&](const qiao_plugin_place& place, uint64_t pitch, uint64_t slice_pitch) {
        return place.offset + (copy.slices - 1) * slice_pitch + (copy.rows - 1) * pitch + copy.size_bytes;
    };
    const uint64_t source_end = end_of(copy.source, copy.source_pitch, copy.source_slice_pitch);
    const uint64_t target_end = end_of(copy.target, copy.target_pitch, copy.target_slice_pitch);
    return copy.source.offset < target_end && copy.target.offset < source_end;
}

static qiao_status vulkan_queue_can_copy(void* queue_pointer, const qiao_plugin_copy* copy) {
    const Device* device = object<Queue>(queue_pointer).device;
    const bool can = copy->source_device == device && copy->target_device == device && copy->size_bytes != 0 && !overlap(*copy);
    return can ? QIAO_OK : QIAO_ERROR_UNSUPPORTED;
}

static qiao_status vulkan_queue_copy(void* queue_pointer, const qiao_plugin_copy* copy) {
    Queue& queue = object<Queue>(queue_pointer);
    const Device* device = queue.device;
    if (vulkan_queue_can_copy(queue_pointer, copy) != QIAO_OK) return QIAO_ERROR_UNSUPPORTED;
    const Allocation& source = object<Allocation>(copy->source.allocation);
    const Allocation& target = object<Allocation>(copy->target.allocation);
    if (const qiao_status status = begin_operation(queue); status != QIAO_OK) return status;
    VkBufferCopy regions[64];
    uint32_t count = 0;
    const uint64_t slice_rows = std::max<uint64_t>(copy->rows, 1), rows = slice_rows * std::max<uint64_t>(copy->slices, 1);
    for (uint64_t index = 0; index < rows; ++index) {
        const uint64_t slice = index / slice_rows, row = index % slice_rows;
        regions[count++] = {source.offset + copy->source.offset + slice * copy->source_slice_pitch + row * copy->source_pitch,
                            target.offset + copy->target.offset + slice * copy->target_slice_pitch + row * copy->target_pitch, copy->size_bytes};
        if (count < std::size(regions) && index + 1 < rows) continue;
        device->vk.vkCmdCopyBuffer(queue.open->commands, source.buffer.buffer, target.buffer.buffer, count, regions);
        count = 0;
    }
    return end_operation(queue, copy->value);
}

// Vulkan fills with four bytes, at multiples of four.
static bool word_of(const qiao_plugin_fill& fill, uint32_t* out_word) {
    uint8_t bytes[16];
    for (uint32_t i = 0; i < sizeof bytes; ++i)
        bytes[i] = fill.pattern[i % fill.pattern_size];
    std::memcpy(out_word, bytes, 4);
    for (uint32_t i = 4; i < sizeof bytes; i += 4)
        if (std::memcmp(bytes, bytes + i, 4) != 0) return false;
    return true;
}

static qiao_status vulkan_queue_fill(void* queue_pointer, const qiao_plugin_fill* fill) {
    Queue& queue = object<Queue>(queue_pointer);
    uint32_t word = 0;
    if (fill->target.allocation == nullptr || fill->size_bytes == 0 || !word_of(*fill, &word)) return QIAO_ERROR_UNSUPPORTED;
    const Allocation& target = object<Allocation>(fill->target.allocation);
    const uint64_t offset = target.offset + fill->target.offset;
    if (offset % 4 != 0 || fill->size_bytes % 4 != 0) return QIAO_ERROR_UNSUPPORTED;
    if (const qiao_status status = begin_operation(queue); status != QIAO_OK) return status;
    queue.device->vk.vkCmdFillBuffer(queue.open->commands, target.buffer.buffer, offset, fill->size_bytes, word);
    return end_operation(queue, fill->value);
}

static qiao_status vulkan_queue_after(void* queue_pointer, void* other_pointer, uint64_t other_value, uint64_t value) {
    Queue& queue = object<Queue>(queue_pointer);
    const Queue& other = object<Queue>(other_pointer);
    Device& device = *queue.device;
    if (other.device != &device) return QIAO_ERROR_UNSUPPORTED; // semaphores do not cross devices
    return guarded(device.host, "queue_after", [&]() -> qiao_status {
        // What was recorded before does not wait.
        if (has_unsubmitted(queue))
            if (const qiao_status status = submit(queue); status != QIAO_OK) return status;
        if (const qiao_status status = begin_operation(queue); status != QIAO_OK) return status;
        queue.open->wait = other.timeline;
        queue.open->wait_value = other_value;
        return end_operation(queue, value);
    });
}

static qiao_status vulkan_queue_mark(void* queue_pointer, uint64_t) {
    Queue& queue = object<Queue>(queue_pointer);
    return has_unsubmitted(queue) ? submit(queue) : static_cast<qiao_status>(QIAO_OK);
}

static qiao_status vulkan_queue_poll(void* queue_pointer, uint64_t* out_value) {
    Queue& queue = object<Queue>(queue_pointer);
    if (queue.device->lost.load(std::memory_order_acquire)) [[unlikely]]
        return QIAO_ERROR_DEVICE_LOST;
    const VkResult result = ask_reached(queue, out_value);
    return result == VK_SUCCESS ? static_cast<qiao_status>(QIAO_OK)
                                : device_failed(*queue.device, result, "a question about the queue's progress");
}

static qiao_status vulkan_queue_wait(void* queue_pointer, uint64_t value, uint64_t timeout_ns) {
    Queue& queue = object<Queue>(queue_pointer);
    if (queue.reached.load(std::memory_order_acquire) >= value) return QIAO_OK;
    const qiao_status status = wait_timeline(*queue.timeline, value, timeout_ns);
    if (status == QIAO_OK) [[likely]]
        note_reached(queue, value);
    return status;
}

static qiao_status vulkan_queue_timestamps(void* queue_pointer, uint64_t value, uint64_t* out_start_ns, uint64_t* out_end_ns) {
    Queue& queue = object<Queue>(queue_pointer);
    Device& device = *queue.device;
    if (queue.stamps == VK_NULL_HANDLE)
        return device.host.fail({.status = QIAO_ERROR_UNSUPPORTED,
                                 .message = "the queue keeps no timestamps",
                                 .remedy = "create the queue for profiling"});
    const uint64_t kept = std::min<uint64_t>(queue.stamp_count, kStamps);
    for (uint64_t back = 1; back <= kept; ++back) {
        const auto slot = static_cast<uint32_t>((queue.stamp_count - back) % kStamps);
        if (queue.stamp_values[slot] != value) continue;
        uint64_t ticks[2] = {};
        const VkResult result = device.vk.vkGetQueryPoolResults(device.device, queue.stamps, 2 * slot, 2, sizeof ticks, ticks,
                                                                sizeof ticks[0], VK_QUERY_RESULT_64_BIT);
        if (result == VK_NOT_READY) return QIAO_NOT_READY;
        if (result != VK_SUCCESS) return device_failed(device, result, "timestamps");
        *out_start_ns = nanoseconds_of(device, ticks[0]);
        *out_end_ns = nanoseconds_of(device, ticks[1]);
        return QIAO_OK;
    }
    return device.host.fail({.status = QIAO_ERROR_NOT_FOUND,
                             .message = text("value ", value, " is unknown: the last ", kStamps, " operations are kept"),
                             .remedy = "ask sooner"});
}

const qiao_plugin_queue_ops vulkan_queue_ops = {
    sizeof(qiao_plugin_queue_ops),
    vulkan_queue_create,
    vulkan_queue_destroy,
    vulkan_queue_launch,
    vulkan_queue_copy,
    vulkan_queue_mark,
    vulkan_queue_poll,
    vulkan_queue_wait,
    vulkan_queue_fill,
    vulkan_queue_after,
    nullptr, // queue_notify: Vulkan has no callbacks
    vulkan_queue_timestamps,
    vulkan_queue_native,
    nullptr, // queue_wrap: a device's queues are all made with it
    vulkan_queue_can_copy,
    nullptr, // queue_prefetch
};

} // namespace qiao::vulkan
