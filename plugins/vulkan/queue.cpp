// Queues: see queue.h. A launch is a barrier, a pipeline where it changed, the arguments, and a dispatch.
#include "queue.h"

#include <algorithm>
#include <bit>

namespace qiao::vulkan {
namespace {

constexpr VkPipelineStageFlags kWork = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;

// Operations run in order: each sees what those before it wrote.
constexpr VkMemoryBarrier kBetweenOperations = {
    VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
    VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT};
constexpr VkMemoryBarrier kToHost = {VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr,
                                     VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
                                     VK_ACCESS_HOST_READ_BIT | VK_ACCESS_HOST_WRITE_BIT};

// ---------------------------------------------------------------------------------------------- batches

void note_reached(Queue& queue, uint64_t value) {
    uint64_t known = queue.reached.load(std::memory_order_relaxed);
    while (known < value && !queue.reached.compare_exchange_weak(known, value, std::memory_order_release)) {
    }
}

VkResult ask_reached(Queue& queue, uint64_t* out_value) {
    Device& device = *queue.device;
    const VkResult result = device.vk.vkGetSemaphoreCounterValue(device.device, queue.timeline->semaphore, out_value);
    if (result == VK_SUCCESS) note_reached(queue, *out_value);
    return result;
}

void recycle(Queue& queue) {
    const uint64_t reached = queue.reached.load(std::memory_order_acquire);
    while (queue.pending.first() != nullptr && queue.pending.first()->value <= reached) {
        Batch* batch = queue.pending.pop();
        batch->wait.reset();
        queue.idle.push(batch);
    }
}

// An idle batch, made if all are in use: a queue has as many as it ever had in flight.
VkResult take_batch(Queue& queue, Batch** out) {
    recycle(queue);
    if (queue.idle.first() == nullptr && queue.pending.first() != nullptr) {
        uint64_t value = 0;
        if (const VkResult result = ask_reached(queue, &value); result != VK_SUCCESS) return result;
        recycle(queue);
    }
    *out = queue.idle.pop();
    if (*out != nullptr) return VK_SUCCESS;
    queue.batches.reserve(queue.batches.size() + 1);
    std::unique_ptr<Batch> made;
    if (const VkResult result = create_batch(*queue.device, &made); result != VK_SUCCESS) return result;
    *out = made.get();
    queue.batches.push_back(std::move(made));
    return VK_SUCCESS;
}

[[gnu::noinline]] qiao_status open_batch(Queue& queue) noexcept {
    Device& device = *queue.device;
    return guarded(device.host, "queue", [&]() -> qiao_status {
        Batch* batch = nullptr;
        VkResult result = take_batch(queue, &batch);
        if (result == VK_SUCCESS) result = device.vk.vkResetCommandPool(device.device, batch->pool, 0);
        VkCommandBufferBeginInfo begin = {};
        begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
        begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
        if (result == VK_SUCCESS) result = device.vk.vkBeginCommandBuffer(batch->commands, &begin);
        if (result != VK_SUCCESS) {
            if (batch != nullptr) queue.idle.push(batch);
            return device_failed(device, result, "a command buffer");
        }
        batch->bound = VK_NULL_HANDLE;
        batch->arena_used = 0;
        queue.open = batch;
        return QIAO_OK;
    });
}

inline qiao_status ensure_open(Queue& queue) {
    return queue.open != nullptr ? static_cast<qiao_status>(QIAO_OK) : open_batch(queue);
}

[[gnu::noinline]] qiao_status submit_failed(Queue& queue, VkResult result) noexcept {
    queue.recorded = queue.submitted.load(std::memory_order_relaxed);
    queue.open->wait.reset();
    queue.idle.push(queue.open);
    queue.open = nullptr;
    return device_failed(*queue.device, result, "a submission to the device");
}

VkResult end_and_submit(Queue& queue, Batch& batch) {
    const DeviceSymbols& vk = queue.device->vk;
    vk.vkCmdPipelineBarrier(batch.commands, kWork, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &kToHost, 0, nullptr, 0, nullptr);
    if (const VkResult result = vk.vkEndCommandBuffer(batch.commands); result != VK_SUCCESS) return result;
    constexpr VkPipelineStageFlags stages = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    const uint32_t wait_count = batch.wait != nullptr ? 1 : 0;
    VkTimelineSemaphoreSubmitInfo values = {};
    values.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO;
    values.waitSemaphoreValueCount = wait_count;
    values.pWaitSemaphoreValues = &batch.wait_value;
    values.signalSemaphoreValueCount = 1;
    values.pSignalSemaphoreValues = &batch.value;
    VkSubmitInfo submit = {};
    submit.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    submit.pNext = &values;
    submit.waitSemaphoreCount = wait_count;
    submit.pWaitSemaphores = batch.wait != nullptr ? &batch.wait->semaphore : nullptr;
    submit.pWaitDstStageMask = &stages;
    submit.commandBufferCount = 1;
    submit.pCommandBuffers = &batch.commands;
    submit.signalSemaphoreCount = 1;
    submit.pSignalSemaphores = &queue.timeline->semaphore;
    std::lock_guard lock(queue.lane->mutex);
    return vk.vkQueueSubmit(queue.lane->queue, 1, &submit, VK_NULL_HANDLE);
}

// Submits the open batch; it signals the last value recorded.
qiao_status submit(Queue& queue) noexcept {
    Batch& batch = *queue.open;
    batch.value = queue.recorded;
    if (const VkResult result = end_and_submit(queue, batch); result != VK_SUCCESS) [[unlikely]]
        return submit_failed(queue, result);
    queue.open = nullptr;
    queue.pending.push(&batch);
    queue.submitted.store(batch.value, std::memory_order_release);
    return QIAO_OK;
}

// ---------------------------------------------------------------------------------------------- operations

inline bool known_idle(const Queue& queue) {
    return queue.reached.load(std::memory_order_acquire) == queue.submitted.load(std::memory_order_relaxed);
}

void stamp(Queue& queue, VkPipelineStageFlagBits stage, uint32_t which) {
    const DeviceSymbols& vk = queue.device->vk;
    const auto slot = static_cast<uint32_t>(queue.stamp_count % kStamps);
    if (which == 0) vk.vkCmdResetQueryPool(queue.open->commands, queue.stamps, 2 * slot, 2);
    vk.vkCmdWriteTimestamp(queue.open->commands, stage, queue.stamps, 2 * slot + which);
}

// Before an operation is recorded.
inline qiao_status begin_operation(Queue& queue) {
    if (const qiao_status status = ensure_open(queue); status != QIAO_OK) [[unlikely]]
        return status;
    queue.device->vk.vkCmdPipelineBarrier(queue.open->commands, kWork, kWork, 0, 1, &kBetweenOperations, 0, nullptr, 0, nullptr);
    if (queue.stamps != VK_NULL_HANDLE) [[unlikely]]
        stamp(queue, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, 0);
    return QIAO_OK;
}

// After it. While the device has nothing else to do, waiting for more would only waste time.
inline qiao_status end_operation(Queue& queue, uint64_t value) {
    if (queue.stamps != VK_NULL_HANDLE) [[unlikely]] {
        stamp(queue, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, 1);
        queue.stamp_values[queue.stamp_count++ % kStamps] = value;
    }
    queue.recorded = value;
    return known_idle(queue) ? submit(queue) : static_cast<qiao_status>(QIAO_OK);
}

// ---------------------------------------------------------------------------------------------- launches

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

[[gnu::noinline]] void push_short_block(const DeviceSymbols& vk, Batch& batch, const Kernel& kernel, const void* block) {
    uint32_t words[QIAO_MAX_ARGUMENT_BYTES / 4] = {};
    std::memcpy(words, block, kernel.value_bytes);
    vk.vkCmdPushConstants(batch.commands, kernel.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, kernel.push_bytes, words);
}

// Copies the block into the batch's arena and binds it there; a full arena ends the batch.
[[gnu::noinline]] qiao_status bind_block(Queue& queue, const Kernel& kernel, const void* block) noexcept {
    Device& device = *queue.device;
    const auto alignment = static_cast<uint32_t>(
        std::max<VkDeviceSize>(device.record->properties.limits.minUniformBufferOffsetAlignment, 16));
    Batch& batch = *queue.open;
    if (const VkResult result = ensure_arena(device, batch); result != VK_SUCCESS)
        return device_failed(device, result, "a buffer for argument blocks");
    const uint32_t offset = batch.arena_used;
    std::memcpy(batch.arena.mapped + offset, block, kernel.value_bytes);
    batch.arena_used = (offset + kernel.value_bytes + alignment - 1) / alignment * alignment;
    device.vk.vkCmdBindDescriptorSets(batch.commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout, 0, 1, &batch.set, 1,
                                      &offset);
    return QIAO_OK;
}

inline bool arena_is_full(const Queue& queue) {
    return queue.open != nullptr && queue.open->arena_used > kArenaBytes - QIAO_MAX_ARGUMENT_BYTES;
}

inline qiao_status launch(Queue& queue, Kernel& kernel, const qiao_plugin_geometry& geometry, const void* block,
                          uint64_t value) {
    qiao_status status = QIAO_OK;
    const Pipeline* pipeline = pipeline_of(queue, kernel, geometry, block, &status);
    if (pipeline == nullptr) [[unlikely]]
        return status;
    if (kernel.metadata.uniform && arena_is_full(queue)) [[unlikely]] {
        if (status = submit(queue); status != QIAO_OK) return status;
    }
    if (status = begin_operation(queue); status != QIAO_OK) [[unlikely]]
        return status;
    const DeviceSymbols& vk = queue.device->vk;
    Batch& batch = *queue.open;
    if (batch.bound != pipeline->pipeline) {
        vk.vkCmdBindPipeline(batch.commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline->pipeline);
        batch.bound = pipeline->pipeline;
    }
    if (kernel.metadata.uniform) [[unlikely]] {
        if (status = bind_block(queue, kernel, block); status != QIAO_OK) return status;
    } else if (kernel.push_bytes != 0) {
        if (kernel.push_beyond_block) [[unlikely]]
            push_short_block(vk, batch, kernel, block);
        else
            vk.vkCmdPushConstants(batch.commands, kernel.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, kernel.push_bytes, block);
    }
    vk.vkCmdDispatch(batch.commands, geometry.group_count[0], geometry.group_count[1], geometry.group_count[2]);
    return end_operation(queue, value);
}

} // namespace

// ---------------------------------------------------------------------------------------------- life

namespace {

Lane* take_lane(Device& device) {
    std::lock_guard lock(device.mutex);
    const auto least = std::min_element(device.lanes.begin(), device.lanes.end(),
                                        [](const auto& a, const auto& b) { return a->users < b->users; });
    ++(*least)->users;
    return least->get();
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

qiao_status create_queue(Device& device, bool profiling, Queue** out) {
    if (profiling && device.record->timestamp_bits == 0)
        return device.host.fail({.status = QIAO_ERROR_UNSUPPORTED,
                                 .message = text(device.record->info.name, "'s queues keep no timestamps"),
                                 .remedy = "create the queue without profiling"});
    auto queue = std::make_unique<Queue>();
    queue->device = &device;
    queue->entries = std::make_unique<Queue::Entry[]>(16);
    queue->mask = 15;
    VkResult result = create_timeline(device, &queue->timeline);
    if (result == VK_SUCCESS && profiling) result = create_stamps(*queue);
    if (result != VK_SUCCESS) return device_failed(device, result, text("a queue on ", device.record->info.name));
    queue->lane = take_lane(device);
    *out = queue.release();
    return QIAO_OK;
}

void destroy_queue(Queue* queue) {
    Device& device = *queue->device;
    {
        std::lock_guard lock(device.mutex);
        --queue->lane->users;
    }
    for (const auto& batch : queue->batches)
        destroy_batch(device, *batch);
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
            create_buffer(device, kStagingBytes, device.record->staging_type,
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
    const uint32_t bits = device.record->timestamp_bits;
    if (bits < 64) ticks &= (uint64_t{1} << bits) - 1;
    const double period = static_cast<double>(device.record->properties.limits.timestampPeriod);
    return period == 1.0 ? ticks : static_cast<uint64_t>(static_cast<long double>(ticks) * static_cast<long double>(period));
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
                                       const void* block, const qiao_plugin_binding*, uint64_t value) {
    return launch(object<Queue>(queue_pointer), object<Kernel>(kernel_pointer), *geometry, block, value);
}

qiao_status vulkan_kernel_launch(void* device_pointer, void* kernel_pointer, const qiao_plugin_geometry* geometry,
                                        const void* block, const qiao_plugin_binding*) {
    Device& device = object<Device>(device_pointer);
    std::lock_guard lock(device.immediate_mutex);
    Queue& queue = *device.immediate;
    const qiao_status status = launch(queue, object<Kernel>(kernel_pointer), *geometry, block, queue.recorded + 1);
    return status == QIAO_OK && queue.open != nullptr ? submit(queue) : status;
}

static bool overlap(const qiao_plugin_copy& copy, uint64_t rows) {
    if (copy.source.allocation != copy.target.allocation) return false;
    const uint64_t source_end = copy.source.offset + (rows - 1) * copy.source_pitch + copy.size_bytes;
    const uint64_t target_end = copy.target.offset + (rows - 1) * copy.target_pitch + copy.size_bytes;
    return copy.source.offset < target_end && copy.target.offset < source_end;
}

static qiao_status vulkan_queue_copy(void* queue_pointer, const qiao_plugin_copy* copy) {
    Queue& queue = object<Queue>(queue_pointer);
    const Device* device = queue.device;
    const uint64_t rows = std::max<uint64_t>(copy->rows, 1);
    if (copy->source_device != device || copy->target_device != device || copy->size_bytes == 0 || overlap(*copy, rows))
        return QIAO_ERROR_UNSUPPORTED;
    const Allocation& source = object<Allocation>(copy->source.allocation);
    const Allocation& target = object<Allocation>(copy->target.allocation);
    if (const qiao_status status = begin_operation(queue); status != QIAO_OK) return status;
    VkBufferCopy regions[64];
    uint32_t count = 0;
    for (uint64_t row = 0; row < rows; ++row) {
        regions[count++] = {source.offset + copy->source.offset + row * copy->source_pitch,
                            target.offset + copy->target.offset + row * copy->target_pitch, copy->size_bytes};
        if (count < std::size(regions) && row + 1 < rows) continue;
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
        if (queue.open != nullptr)
            if (const qiao_status status = submit(queue); status != QIAO_OK) return status;
        if (const qiao_status status = begin_operation(queue); status != QIAO_OK) return status;
        queue.open->wait = other.timeline;
        queue.open->wait_value = other_value;
        return end_operation(queue, value);
    });
}

static qiao_status vulkan_queue_mark(void* queue_pointer, uint64_t) {
    Queue& queue = object<Queue>(queue_pointer);
    return queue.open != nullptr ? submit(queue) : static_cast<qiao_status>(QIAO_OK);
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
    nullptr, // queue_native, queue_wrap: none yet
    nullptr,
};

} // namespace qiao::vulkan
