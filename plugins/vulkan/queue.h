// Queues: operations are recorded into the open batch, which is submitted when a value of it must become observable, or at once
// while the device is known to have nothing to do. The queue's values are those of its timeline semaphore.
#pragma once

#include "batch.h"
#include "output.h"
#include "pipeline.h"

namespace qiao::vulkan {

inline constexpr uint64_t kStagingBytes = uint64_t{4} << 20;
inline constexpr uint32_t kStamps = 4096; // operations of a profiling queue whose times are kept

struct Queue {
    Device* device = nullptr;
    Lane* lane = nullptr;
    std::shared_ptr<Timeline> timeline;

    Batch* open = nullptr; // being recorded
    BatchList pending;     // submitted, in order
    BatchList idle;
    std::vector<std::unique_ptr<Batch>> batches; // all

    uint64_t recorded = 0; // the last value in the open batch, or submitted
    alignas(64) std::atomic<uint64_t> submitted{0};
    std::atomic<uint64_t> reached{0}; // as far as is known

    // What this queue last launched of each kernel, by the kernel's dense number.
    struct Entry {
        uint64_t serial = 0; // 0 = empty
        uint64_t generation = 0;
        const Pipeline* pipeline = nullptr;
    };
    std::unique_ptr<Entry[]> entries;
    uint32_t mask = 0; // entries - 1

    VkQueryPool stamps = VK_NULL_HANDLE; // null unless it profiles: two times for each operation
    std::unique_ptr<uint64_t[]> stamp_values;
    uint64_t stamp_count = 0;

    Outputs outputs; // of launches in flight
    Buffer staging; // of the device's own queues only
};

// On the compute lane with the fewest users, or on that lane.
qiao_status create_queue(Device& device, bool profiling, Queue** out);
qiao_status create_queue_on(Device& device, Lane& lane, Queue** out);
void destroy_queue(Queue* queue);

qiao_status launch(Queue& queue, Kernel& kernel, const qiao_plugin_geometry& geometry, const void* block,
                   const qiao_plugin_binding* bindings, uint64_t value);

// For blocking calls on a device's own queue, whose mutex the caller holds.
qiao_status staging_of(Queue& queue, Buffer** out);
qiao_status copy_and_wait(Queue& queue, VkBuffer source, VkBuffer target, const VkBufferCopy& region);
// Device time in ticks of an empty batch that ran between the two host times.
qiao_status stamp_now(Queue& queue, uint64_t* out_ticks, uint64_t* out_before_ns, uint64_t* out_after_ns);

qiao_status vulkan_queue_native(void* queue, qiao_native* out_native); // native.cpp

// The slot of program.cpp's table.
qiao_status vulkan_kernel_launch(void* device, void* kernel, const qiao_plugin_geometry* geometry, const void* block,
                                 const qiao_plugin_binding* bindings);

// Everything submitted so far has run.
qiao_status synchronize(Device& device, uint64_t timeout_ns);

// Nanoseconds of a device's timestamp.
uint64_t nanoseconds_of(const Device& device, uint64_t ticks);

} // namespace qiao::vulkan
