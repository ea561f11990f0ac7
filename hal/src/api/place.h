// What a place of the application's names: host memory, or bytes of an allocation.
#pragma once

#include "emulation/copy.h"
#include "emulation/shared.h"
#include "object/memory.h"
#include "qiao/queue.h"

namespace qiao {

struct Resolved {
    qiao_device* device;  // null = host memory
    uint64_t losses;      // of the device before the memory was made
    qiao_plugin_place place;
    const Memory* memory = nullptr;

    Side side() const {
        if (memory == nullptr) return Side::host(reinterpret_cast<const void*>(static_cast<uintptr_t>(place.address)));
        std::byte* in_place = memory->in_place == nullptr ? nullptr : memory->in_place + place.offset;
        return {{device, losses}, in_place, memory->kind == QIAO_MEMORY_KIND_HOST};
    }

    // Of emulated shared memory the device's part may come and go: this is to be called once it is locked and resident.
    void settle() {
        if (memory != nullptr && memory->shared != nullptr) place.allocation = memory->shared->allocation();
    }
    bool is_settled() const { return memory == nullptr || place.allocation != nullptr; }
};

// For an operation of the queue on `span_bytes` from the place on; `name` is what errors call it.
qiao_status resolve(const qiao_place& place, uint64_t span_bytes, const Queue& queue, const char* name, Resolved& out);

inline void add_use_of(const Resolved& side, uint64_t span_bytes, bool is_written, SharedUses& uses) {
    if (side.memory != nullptr) uses.add(*side.memory, {side.place.offset, side.place.offset + span_bytes}, is_written);
}

}  // namespace qiao
