// Entries for pools: checks, and where their segments come from: allocations as an application makes them.
#include "qiao/pool.h"

#include <memory>

#include "api/entry.h"
#include "api/instance.h"
#include "api/memory_kind.h"
#include "dispatch/device.h"
#include "dispatch/queue.h"
#include "dispatch/submit.h"
#include "pool/allocator.h"
#include "pool/pool.h"

using namespace qiao;

namespace {

constexpr uint64_t kLeastAlignment = 256, kMostAlignment = 2u << 20;
constexpr uint64_t kLargestShared = 1u << 20, kMostShared = 1u << 30;

class DeviceSegments final : public SegmentSource {
public:
    DeviceSegments(qiao_device* device, qiao_memory_kind kind, uint64_t alignment) : device_(device), kind_(kind), alignment_(alignment) {}

    qiao_status allocate(uint64_t size_bytes, void*& out_handle, uint64_t& out_address) override {
        qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
        desc.size_bytes = size_bytes;
        desc.alignment = alignment_;
        desc.kind = kind_;
        qiao_memory* memory = nullptr;
        QIAO_RETURN_IF_ERROR(qiao_memory_allocate(device_, &desc, &memory));
        out_handle = memory;
        return qiao_memory_get_address(memory, &out_address);
    }
    void release(void* handle) override { qiao_memory_release(static_cast<qiao_memory*>(handle)); }

private:
    qiao_device* const device_;
    const qiao_memory_kind kind_;
    const uint64_t alignment_;
};

qiao_status check_desc(const Device& device, qiao_pool_desc& desc) {
    QIAO_RETURN_IF_ERROR(check_no_flags(desc.flags, "qiao_pool_desc"));
    QIAO_RETURN_IF_ERROR(check_reserved(desc.reserved0, "qiao_pool_desc"));
    QIAO_RETURN_IF_ERROR(check_memory_kind(device, device.info.memory_kinds, desc.kind));
    if (desc.alignment == 0) desc.alignment = kLeastAlignment;
    if ((desc.alignment & (desc.alignment - 1)) != 0 || desc.alignment < kLeastAlignment || desc.alignment > kMostAlignment) {
        return fail(QIAO_ERROR_INVALID_ARGUMENT, "alignment %" PRIu64 " must be a power of two from %" PRIu64 " to %" PRIu64, desc.alignment, kLeastAlignment,
                    kMostAlignment);
    }
    if (desc.largest_shared_bytes == 0) desc.largest_shared_bytes = kLargestShared;
    if (desc.largest_shared_bytes > kMostShared) {
        return fail(QIAO_ERROR_OUT_OF_RANGE, "largest_shared_bytes %" PRIu64 " is over the limit of %" PRIu64, desc.largest_shared_bytes, kMostShared);
    }
    return QIAO_OK;
}

// The timeline that stands for the order of a queue; null for none.
qiao_timeline* order_of(qiao_queue* queue) {
    return queue == nullptr ? nullptr : queue->body.timeline;
}

qiao_status fail_foreign_queue(const qiao_pool* pool, const qiao_queue* queue) {
    return fail(QIAO_ERROR_INVALID_HANDLE, "the queue is on %s of another instance than the pool's %s", device_name(queue->body.device),
                device_name(pool->body.device));
}

bool is_foreign(const qiao_pool* pool, const qiao_queue* queue) {
    return queue->body.device != pool->body.device && queue->body.device->body.instance != pool->body.device->body.instance;
}

}  // namespace

qiao_status qiao_pool_create(qiao_device* device, const qiao_pool_desc* desc, qiao_pool** out_pool) {
    if (out_pool != nullptr) *out_pool = nullptr;
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(out_pool);
    return entry([&]() -> qiao_status {
        qiao_pool_desc request = QIAO_POOL_DESC_INIT;
        if (desc != nullptr) QIAO_RETURN_IF_ERROR(read_desc(desc, "qiao_pool_desc", request));
        QIAO_RETURN_IF_ERROR(check_desc(device->body, request));
        const uint64_t losses = device->body.losses.load();
        QIAO_RETURN_IF_ERROR(device_ensure_open(device));
        const uint64_t most = device->body.info.max_allocation_bytes;
        const PoolLimits limits = {request.alignment, request.largest_shared_bytes, request.reserve_limit_bytes, request.idle_limit_bytes,
                                   most != 0 ? most : UINT64_MAX};
        auto allocator = std::make_unique<PoolAllocator>(std::make_unique<DeviceSegments>(device, request.kind, request.alignment), limits);
        qiao_pool* pool = Slab<qiao_pool>::get().create(device, std::move(allocator));
        if (device_was_lost_since(device, losses)) {
            drop_use(pool);
            return device_fail_lost(device);
        }
        pool_enter(pool);
        instance_add_use(device->body.instance);
        *out_pool = pool;
        return QIAO_OK;
    });
}

qiao_status qiao_pool_retain(qiao_pool* pool) {
    QIAO_CHECK_ALIVE(pool);
    retain(pool);
    return QIAO_OK;
}

qiao_status qiao_pool_release(qiao_pool* pool) {
    if (pool == nullptr) return QIAO_OK;
    QIAO_CHECK_ALIVE(pool);
    return entry([&]() -> qiao_status {
        if (!release(pool)) return QIAO_OK;
        qiao_instance* instance = pool->body.device->body.instance;
        pool_leave(pool);
        instance_drop_use(instance);
        return QIAO_OK;
    });
}

qiao_status qiao_pool_allocate(qiao_pool* pool, qiao_queue* queue, uint64_t size_bytes, uint64_t* out_address) {
    if (out_address != nullptr) *out_address = 0;
    QIAO_CHECK_HANDLE(pool);
    QIAO_CHECK_POINTER(out_address);
    if (queue != nullptr) {
        if (!is_healthy(queue)) [[unlikely]] return fail_submission(queue);
        if (is_foreign(pool, queue)) [[unlikely]] return fail_foreign_queue(pool, queue);
    }
    return entry([&]() -> qiao_status {
        if (size_bytes == 0) [[unlikely]] return fail(QIAO_ERROR_OUT_OF_RANGE, "size_bytes is 0; allocate at least one byte");
        return pool->body.allocator->allocate(order_of(queue), size_bytes, *out_address);
    });
}

qiao_status qiao_pool_free(qiao_pool* pool, uint64_t address, qiao_queue* queue) {
    QIAO_CHECK_ALIVE(pool);
    if (queue != nullptr) {
        QIAO_CHECK_ALIVE(queue);
        if (is_foreign(pool, queue)) [[unlikely]] return fail_foreign_queue(pool, queue);
    }
    if (address == 0) return QIAO_OK;
    return entry([&]() -> qiao_status {
        return pool->body.allocator->free(address, order_of(queue), queue == nullptr ? 0 : queue_last_value(queue->body));
    });
}

qiao_status qiao_pool_trim(qiao_pool* pool, uint64_t keep_bytes) {
    QIAO_CHECK_ALIVE(pool);
    return entry([&]() -> qiao_status {
        pool->body.allocator->trim(keep_bytes);
        return QIAO_OK;
    });
}

qiao_status qiao_pool_query(qiao_pool* pool, qiao_pool_statistics* out_statistics) {
    QIAO_CHECK_ALIVE(pool);
    QIAO_CHECK_POINTER(out_statistics);
    return entry([&]() -> qiao_status { return write_struct(pool->body.allocator->statistics(), out_statistics, "qiao_pool_statistics"); });
}

qiao_status qiao_pool_reset_peaks(qiao_pool* pool) {
    QIAO_CHECK_ALIVE(pool);
    return entry([&]() -> qiao_status {
        pool->body.allocator->reset_peaks();
        return QIAO_OK;
    });
}
