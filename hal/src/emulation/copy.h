// Copies and fills made of the plugins' blocking memory_read and memory_write: what a plugin's queue cannot do itself,
// and every copy between two plugins.
#pragma once

#include "object/device.h"
#include "qiao/queue.h"

namespace qiao {

// Whose memory it is, and the device's losses before that was made. A null device is the host.
struct Owner {
    qiao_device* device;
    uint64_t losses;
};

// Fails if the memory was lost.
qiao_status check_owner(const Owner& owner);

// One end of a copy.
struct Side {
    Owner owner{};
    std::byte* in_place = nullptr;  // where the host may move its bytes itself; null = nowhere
    bool is_host_memory = true;     // also a device's: nothing moves its bytes better than the host

    static Side host(const void* pointer) { return {{}, static_cast<std::byte*>(const_cast<void*>(pointer)), true}; }
};

// How a copy is made, and how far it came.
struct CopyProgress {
    qiao_copy_path path = QIAO_COPY_PATH_HOST;
    uint64_t done_bytes = 0;
    uint64_t chunk_bytes = 0;
    uint64_t operations = 0;  // calls that the plugins were given
};

inline uint64_t total_bytes(const qiao_plugin_copy& copy) {
    return copy.size_bytes * copy.rows * copy.slices;
}

// The chunk size of all staged copies that QIAO_COPY_CHUNK asks for; 0 = each pair of devices has its own.
qiao_status forced_chunk(uint64_t& out_bytes);

// What copy_through_host will do, as far as that is known: nothing is done.
CopyProgress plan_through_host(const Side& source, const Side& target, const qiao_plugin_copy& copy);

// Blocks until done. Queued work that the ranges depend on has ended. An error says how far the copy came.
qiao_status copy_through_host(const Side& source, const Side& target, const qiao_plugin_copy& copy, CopyProgress& out_progress);
qiao_status staged_fill(const Owner& target, const qiao_plugin_fill& fill);

// The blocking slots, with the device's serialisation and wording of failures.
qiao_status device_read(const Owner& source, void* allocation, uint64_t offset, void* target, uint64_t size_bytes);
qiao_status device_write(const Owner& target, void* allocation, uint64_t offset, const void* source, uint64_t size_bytes);

}  // namespace qiao
