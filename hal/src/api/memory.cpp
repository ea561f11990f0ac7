// Entries for memory: allocation with deferred freeing, address look-up, mapping and blocking copies.
#include "qiao/memory.h"

#include "api/allocation.h"
#include "api/entry.h"
#include "api/instance.h"
#include "api/memory_kind.h"
#include "api/native.h"
#include "api/share.h"
#include "dispatch/allocation.h"
#include "dispatch/device.h"
#include "dispatch/retire.h"
#include "dispatch/tables.h"
#include "dispatch/wait.h"
#include "emulation/copy.h"
#include "emulation/deferred.h"
#include "emulation/map.h"
#include "emulation/residency.h"
#include "emulation/shared.h"
#include "emulation/staging.h"
#include "object/memory.h"
#include "pool/pool.h"

using namespace qiao;

namespace {

constexpr uint64_t kDefaultAlignment = 128;
constexpr uint64_t kMaxAlignment = 2u << 20;

// `kinds` has a bit for each that is possible; so has `flags`.
qiao_status check_desc(const Device& device, uint32_t kinds, uint64_t flags, qiao_memory_desc& desc) {
    QIAO_RETURN_IF_ERROR(check_no_flags(desc.flags & ~flags, "qiao_memory_desc"));
    QIAO_RETURN_IF_ERROR(check_reserved(desc.reserved0, "qiao_memory_desc"));
    QIAO_RETURN_IF_ERROR(check_memory_kind(device, kinds, desc.kind));
    if (desc.alignment == 0) desc.alignment = kDefaultAlignment;
    if ((desc.flags & QIAO_MEMORY_FETCH_EXPLICIT) != 0 && desc.kind != QIAO_MEMORY_KIND_SHARED) {
        return fail(QIAO_ERROR_INVALID_ARGUMENT, "QIAO_MEMORY_FETCH_EXPLICIT is for shared memory; the kind is %s", memory_kind_name(desc.kind));
    }
    if ((desc.alignment & (desc.alignment - 1)) != 0 || desc.alignment > kMaxAlignment) {
        return fail(QIAO_ERROR_INVALID_ARGUMENT, "alignment %" PRIu64 " must be a power of two up to %" PRIu64, desc.alignment, kMaxAlignment);
    }
    if (desc.size_bytes == 0) return fail(QIAO_ERROR_OUT_OF_RANGE, "size_bytes is 0; allocate at least one byte");
    const uint64_t limit = device.info.max_allocation_bytes != 0 ? device.info.max_allocation_bytes : UINT64_MAX / 2;
    if (desc.size_bytes > limit) {
        return fail(QIAO_ERROR_OUT_OF_RANGE, "size_bytes %" PRIu64 " is over the limit of %s, %" PRIu64 " for one allocation", desc.size_bytes,
                    device.id.c_str(), limit);
    }
    return QIAO_OK;
}

// `losses` of these is from before the call.
qiao_status allocate(qiao_device* device, uint64_t losses, const qiao_memory_desc& desc, qiao_plugin_allocation& allocation) {
    qiao_status status = make_allocation(device, losses, desc, allocation);
    if (status == QIAO_ERROR_OUT_OF_MEMORY && !on_queue_worker()) {
        pools_give_back(device);
        Staging::get().give_back_all();
        device_wait_idle(device, deadline_after(1'000'000'000));  // released memory may only be waiting for its work to end
        retire_passed(device);
        status = make_allocation(device, losses, desc, allocation);
    }
    if (status != QIAO_ERROR_OUT_OF_MEMORY || desc.kind != QIAO_MEMORY_KIND_DEVICE) return status;
    return with_evictions(device, [&] { return make_allocation(device, losses, desc, allocation); });
}

// Device memory, and the host's bytes for it.
qiao_status allocate_shared(qiao_device* device, uint64_t losses, qiao_memory_desc desc, qiao_plugin_allocation& allocation,
                            std::shared_ptr<SharedMemory>& shared) {
    desc.kind = QIAO_MEMORY_KIND_DEVICE;
    QIAO_RETURN_IF_ERROR(allocate(device, losses, desc, allocation));
    const qiao_status status = SharedMemory::create({device, losses}, allocation.allocation, desc, shared);
    if (status != QIAO_OK) free_allocation(device, allocation.allocation);
    return status;
}

qiao_status check_range(const Memory& memory, uint64_t offset, uint64_t size_bytes) {
    if (offset <= memory.size_bytes && size_bytes <= memory.size_bytes - offset) return QIAO_OK;
    return fail(QIAO_ERROR_OUT_OF_RANGE, "offset %" PRIu64 " + size %" PRIu64 " leaves the allocation of %" PRIu64 " bytes", offset, size_bytes,
                memory.size_bytes);
}

}  // namespace

qiao_status qiao_memory_allocate(qiao_device* device, const qiao_memory_desc* desc, qiao_memory** out_memory) {
    if (out_memory != nullptr) *out_memory = nullptr;
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(desc);
    QIAO_CHECK_POINTER(out_memory);
    return entry([&]() -> qiao_status {
        qiao_memory_desc request;
        QIAO_RETURN_IF_ERROR(read_desc(desc, "qiao_memory_desc", request));
        const bool is_shareable = (request.flags & QIAO_MEMORY_SHAREABLE) != 0;
        if (is_shareable) QIAO_RETURN_IF_ERROR(check_shareable_kind(device->body, request.kind));
        const uint32_t kinds = memory_kinds(device->body) | (is_shareable ? 1u << QIAO_MEMORY_KIND_HOST : 0);
        QIAO_RETURN_IF_ERROR(check_desc(device->body, kinds, QIAO_MEMORY_FETCH_EXPLICIT | QIAO_MEMORY_SHAREABLE, request));
        const uint64_t losses = device->body.losses.load();
        QIAO_RETURN_IF_ERROR(device_ensure_open(device));
        retire_passed(device);
        if (is_shareable && request.kind == QIAO_MEMORY_KIND_HOST) return allocate_file(device, losses, request, out_memory);
        qiao_plugin_allocation allocation;
        std::shared_ptr<SharedMemory> shared;
        const Sharing sharing{.is_shareable = is_shareable};
        if (request.kind == QIAO_MEMORY_KIND_SHARED && emulates_shared(device->body)) {
            QIAO_RETURN_IF_ERROR(allocate_shared(device, losses, request, allocation, shared));
        } else {
            QIAO_RETURN_IF_ERROR(allocate(device, losses, request, allocation));
        }
        return publish(device, losses, request, allocation, shared, sharing, out_memory);
    });
}

qiao_status qiao_memory_wrap(qiao_device* device, const qiao_native* native, const qiao_memory_desc* desc, qiao_memory** out_memory) {
    if (out_memory != nullptr) *out_memory = nullptr;
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(native);
    QIAO_CHECK_POINTER(desc);
    QIAO_CHECK_POINTER(out_memory);
    return entry([&]() -> qiao_status {
        qiao_memory_desc request;
        QIAO_RETURN_IF_ERROR(check_native(device->body, device->body.tables.memory.memory_wrap != nullptr, *native, "memory"));
        QIAO_RETURN_IF_ERROR(read_desc(desc, "qiao_memory_desc", request));
        QIAO_RETURN_IF_ERROR(check_desc(device->body, device->body.info.memory_kinds, QIAO_MEMORY_FETCH_EXPLICIT, request));
        const uint64_t losses = device->body.losses.load();
        QIAO_RETURN_IF_ERROR(device_ensure_open(device));
        retire_passed(device);
        qiao_plugin_allocation allocation;
        QIAO_RETURN_IF_ERROR(wrap_allocation(device, losses, request, *native, allocation));
        if (overlaps_allocation(device->body, losses, allocation.address, request.size_bytes)) {
            free_allocation(device, allocation.allocation);
            return fail(QIAO_ERROR_OUT_OF_RANGE, "%" PRIu64 " bytes at 0x%" PRIx64 " overlap an allocation of %s", request.size_bytes, allocation.address,
                        device_name(device));
        }
        return publish(device, losses, request, allocation, nullptr, {}, out_memory);
    });
}

qiao_status qiao_memory_get_native(qiao_memory* memory, qiao_native* out_native) {
    if (out_native != nullptr) *out_native = QIAO_NATIVE_INIT;
    QIAO_CHECK_HANDLE(memory);
    QIAO_CHECK_POINTER(out_native);
    return entry([&]() -> qiao_status {
        qiao_device* device = memory->body.device;
        const auto slot = device->body.tables.memory.memory_native;
        if (slot == nullptr) return fail_no_native(device->body, "memory");
        void* allocation = memory->body.allocation;
        if (memory->body.shared != nullptr) QIAO_RETURN_IF_ERROR(memory->body.shared->pin(allocation));
        SlotGuard guard(device->body);
        if (!guard) return device_fail_lost(device);
        return answer_native(device, memory->body.losses, slot(device->body.opened.load(), allocation, out_native), "memory_native", out_native);
    });
}

qiao_status qiao_memory_retain(qiao_memory* memory) {
    QIAO_CHECK_ALIVE(memory);
    retain(memory);
    return QIAO_OK;
}

qiao_status qiao_memory_release(qiao_memory* memory) {
    if (memory == nullptr) return QIAO_OK;
    QIAO_CHECK_ALIVE(memory);
    return entry([&]() -> qiao_status {
        if (!release(memory)) return QIAO_OK;
        qiao_device* device = memory->body.device;
        qiao_instance* instance = device->body.instance;
        retire_memory(memory);
        drop_use(memory);
        retire_passed(device);
        instance_drop_use(instance);
        return QIAO_OK;
    });
}

qiao_status qiao_memory_get_address(qiao_memory* memory, uint64_t* out_address) {
    if (out_address != nullptr) *out_address = 0;
    QIAO_CHECK_HANDLE(memory);
    QIAO_CHECK_POINTER(out_address);
    *out_address = memory->body.address;
    return QIAO_OK;
}

qiao_status qiao_memory_query(qiao_memory* memory, qiao_memory_properties* out_properties) {
    QIAO_CHECK_HANDLE(memory);
    QIAO_CHECK_POINTER(out_properties);
    const Memory& body = memory->body;
    const qiao_memory_properties values = {sizeof(qiao_memory_properties), nullptr, body.device, body.address, body.size_bytes, body.host_pointer,
                                           body.kind, 0u};
    return write_struct(values, out_properties, "qiao_memory_properties");
}

qiao_status qiao_memory_find(qiao_device* device, uint64_t address, qiao_memory** out_memory, uint64_t* out_offset) {
    if (out_memory != nullptr) *out_memory = nullptr;
    if (out_offset != nullptr) *out_offset = 0;
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(out_memory);
    QIAO_CHECK_POINTER(out_offset);
    const FoundMemory found = find_memory(device->body, address);
    if (found.memory == nullptr) {
        return fail(QIAO_ERROR_NOT_FOUND, "address 0x%" PRIx64 " is in no allocation of %s", address, device->body.id.c_str());
    }
    *out_memory = found.memory;
    *out_offset = found.offset;
    return QIAO_OK;
}

qiao_status qiao_memory_map(qiao_memory* memory, uint64_t offset, uint64_t size_bytes, qiao_access access, void** out_pointer) {
    if (out_pointer != nullptr) *out_pointer = nullptr;
    QIAO_CHECK_HANDLE(memory);
    QIAO_CHECK_POINTER(out_pointer);
    return entry([&]() -> qiao_status {
        if (access == 0 || (access & ~(QIAO_ACCESS_READ | QIAO_ACCESS_WRITE)) != 0) {
            return fail(QIAO_ERROR_INVALID_ARGUMENT, "access is 0x%x; it must be READ, WRITE or both", access);
        }
        if (size_bytes == 0) return fail(QIAO_ERROR_OUT_OF_RANGE, "size_bytes is 0; map at least one byte");
        QIAO_RETURN_IF_ERROR(check_range(memory->body, offset, size_bytes));
        return memory_map(memory->body, offset, size_bytes, access, out_pointer);
    });
}

qiao_status qiao_memory_unmap(qiao_memory* memory, void* pointer) {
    QIAO_CHECK_HANDLE(memory);
    QIAO_CHECK_POINTER(pointer);
    return entry([&]() -> qiao_status { return memory_unmap(memory->body, pointer); });
}

qiao_status qiao_memory_write(qiao_memory* memory, uint64_t offset, const void* source, uint64_t size_bytes) {
    QIAO_CHECK_HANDLE(memory);
    return entry([&]() -> qiao_status {
        QIAO_RETURN_IF_ERROR(check_range(memory->body, offset, size_bytes));
        if (size_bytes == 0) return QIAO_OK;
        QIAO_CHECK_POINTER(source);
        if (memory->body.shared != nullptr) {
            std::memcpy(static_cast<std::byte*>(memory->body.host_pointer) + offset, source, size_bytes);
            return QIAO_OK;
        }
        return device_write({memory->body.device, memory->body.losses}, memory->body.allocation, offset, source, size_bytes);
    });
}

qiao_status qiao_memory_read(qiao_memory* memory, uint64_t offset, void* target, uint64_t size_bytes) {
    QIAO_CHECK_HANDLE(memory);
    return entry([&]() -> qiao_status {
        QIAO_RETURN_IF_ERROR(check_range(memory->body, offset, size_bytes));
        if (size_bytes == 0) return QIAO_OK;
        QIAO_CHECK_POINTER(target);
        if (memory->body.shared != nullptr) {
            std::memcpy(target, static_cast<const std::byte*>(memory->body.host_pointer) + offset, size_bytes);
            return QIAO_OK;
        }
        return device_read({memory->body.device, memory->body.losses}, memory->body.allocation, offset, target, size_bytes);
    });
}

qiao_status qiao_memory_query_traffic(qiao_memory* memory, qiao_memory_traffic* out_traffic) {
    QIAO_CHECK_ALIVE(memory);
    QIAO_CHECK_POINTER(out_traffic);
    return entry([&]() -> qiao_status {
        const auto& shared = memory->body.shared;
        const qiao_memory_traffic none = QIAO_MEMORY_TRAFFIC_INIT;
        return write_struct(shared != nullptr ? shared->traffic() : none, out_traffic, "qiao_memory_traffic");
    });
}

qiao_status qiao_memory_fetch(qiao_memory* memory, uint64_t offset, uint64_t size_bytes) {
    QIAO_CHECK_HANDLE(memory);
    return entry([&]() -> qiao_status {
        QIAO_RETURN_IF_ERROR(check_range(memory->body, offset, size_bytes));
        const auto& shared = memory->body.shared;
        return shared == nullptr || size_bytes == 0 ? QIAO_OK : shared->fetch({offset, offset + size_bytes});
    });
}

qiao_status qiao_memory_advise(qiao_memory* memory, uint64_t offset, uint64_t size_bytes, qiao_memory_advice advice) {
    QIAO_CHECK_HANDLE(memory);
    return entry([&]() -> qiao_status {
        if (advice < QIAO_MEMORY_ADVICE_READ_MOSTLY || advice > QIAO_MEMORY_ADVICE_NO_PREFERENCE) {
            return fail(QIAO_ERROR_INVALID_ARGUMENT, "advice %u is unknown; the last is %u", advice, QIAO_MEMORY_ADVICE_NO_PREFERENCE);
        }
        QIAO_RETURN_IF_ERROR(check_range(memory->body, offset, size_bytes));
        const bool is_of_range = advice <= QIAO_MEMORY_ADVICE_NOT_READ_MOSTLY;
        if (!is_of_range && (offset != 0 || size_bytes != memory->body.size_bytes)) {
            return fail(QIAO_ERROR_OUT_OF_RANGE, "offset %" PRIu64 " + size %" PRIu64 ": where memory is preferred is advice for the allocation as a whole, 0 + %" PRIu64,
                        offset, size_bytes, memory->body.size_bytes);
        }
        if (memory->body.shared != nullptr && size_bytes != 0) memory->body.shared->advise({offset, offset + size_bytes}, advice);
        return QIAO_OK;
    });
}

qiao_status qiao_device_query_traffic(qiao_device* device, qiao_memory_traffic* out_traffic) {
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(out_traffic);
    return entry([&]() -> qiao_status { return write_struct(device_traffic(device), out_traffic, "qiao_memory_traffic"); });
}
