/* Memory of all kinds by address, and what is done to it: copies and fills, in a stream's order or at once. Memory of the host's
 * (pinned, managed, registered) is pages of the process that every card with a context is given where they lie. */
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/device.h"

namespace fakes {

void memory_allocate(uint64_t* out_address, size_t size);
void memory_free(uint64_t address);
void memory_allocate_managed(uint64_t* out_address, size_t size, unsigned flags);
/* Managed memory is where it is; -1 = to the host. */
void memory_prefetch(uint64_t address, size_t size, int device, void* stream);
void memory_info(size_t* out_free, size_t* out_total);
void memory_range(uint64_t* out_base, size_t* out_size, uint64_t address);
/* CUDA's numbers of pointer attributes. */
void memory_attribute(void* data, int attribute, uint64_t address);

void host_allocate(void** out_pointer, size_t size, unsigned flags);
void host_free(void* pointer);
/* One function for both kinds. */
void memory_or_host_free(uint64_t address);
void host_register(void* pointer, size_t size, unsigned flags);
void host_unregister(void* pointer);
void host_device_pointer(uint64_t* out_address, void* pointer, unsigned flags);

/* What an address may be. */
enum class Side : uint8_t { kHost, kDevice, kEither };
struct End {
    Side side;
    uint64_t address;
};
inline End host_end(const void* pointer) {
    return {Side::kHost, reinterpret_cast<uintptr_t>(pointer)};
}
inline End device_end(uint64_t address) {
    return {Side::kDevice, address};
}

struct Box {
    size_t width = 0;
    size_t height = 1;
    size_t depth = 1;
    size_t source_pitch = 0, target_pitch = 0;
    size_t source_slice_pitch = 0, target_slice_pitch = 0;
};

/* A stream of null is the legacy one. */
void copy(End target, End source, size_t size);
void copy_async(End target, End source, size_t size, void* stream);
void copy_box(End target, End source, const Box& box);
void copy_box_async(End target, End source, const Box& box, void* stream);
/* Between contexts. */
void copy_peer(uint64_t target, void* target_context, uint64_t source, void* source_context, size_t size);
void copy_peer_async(uint64_t target, void* target_context, uint64_t source, void* source_context, size_t size, void* stream);
void copy_peer_ordinal(uint64_t target, int target_device, uint64_t source, int source_device, size_t size);
void copy_peer_ordinal_async(uint64_t target, int target_device, uint64_t source, int source_device, size_t size, void* stream);

/* `count` elements of 1, 2 or 4 bytes. */
void fill(uint64_t target, uint32_t element, uint32_t element_size, size_t count);
void fill_async(uint64_t target, uint32_t element, uint32_t element_size, size_t count, void* stream);

void import_all_into(Device& device);
void forget_memory_of(const Device& device);
/* Memory of another card that access was enabled to becomes memory that this card's kernels reach. */
void reach_peer(Device& device, uint64_t address);

} // namespace fakes
