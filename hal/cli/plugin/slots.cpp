/* The tiers are those of hal/docs/plugin_guide.md. */
#include "cli/plugin/slots.h"

#include "qiao/plugin.h"

namespace qiao::cli {
namespace {

#define SLOT(table, member) #member, SlotTable::table
#define AT(noun, member) offsetof(qiao_plugin_##noun##_ops, member)
#define DEVICE(member, ...) {SLOT(kDevice, member), AT(device, member), __VA_ARGS__}
#define MEMORY(member, ...) {SLOT(kMemory, member), AT(memory, member), __VA_ARGS__}
#define PROGRAM(member, ...) {SLOT(kProgram, member), AT(program, member), __VA_ARGS__}
#define QUEUE(member, ...) {SLOT(kQueue, member), AT(queue, member), __VA_ARGS__}

constexpr const char* kQueues = "queues";
constexpr const char* kMaps = "maps";
constexpr const char* kEviction = "eviction";
constexpr const char* kQueuesBring = "as queue_create";

constexpr SlotKind kSlots[] = {
    DEVICE(device_count, "T0", "", "how many devices there are", true),
    DEVICE(device_query, "T0", "", "what a device is: name, memory, limits, formats", true),
    DEVICE(device_open, "T0", "", "a device that can be worked with", true),
    DEVICE(device_close, "T0", "", "a device that can be given back", true),
    DEVICE(device_synchronize, "T0", "", "waiting for all work of a device", true),
    DEVICE(device_state, "any", "", "loss that nobody reported is seen; without: well until host->device_lost", false),
    DEVICE(device_reset, "any", "", "a lost device works again in the same process; without: unsupported", false),
    DEVICE(device_memory_free, "any", "", "free memory with other programs' use in it; without: the core's own count", false),
    DEVICE(device_clock, "any", "", "device timestamps on the host's clock; without: unsupported", false),
    DEVICE(device_native, "any", "", "the vendor's own device, for programs that use both; without: unsupported", false),
    MEMORY(memory_allocate, "T0", "", "device memory", true),
    MEMORY(memory_free, "T0", "", "device memory given back", true),
    MEMORY(memory_write, "T0", "", "copies to the device", true),
    MEMORY(memory_read, "T0", "", "copies from the device", true),
    MEMORY(memory_map, "T2", kMaps, "the host's view of device memory; without: a copy in host memory", false),
    MEMORY(memory_unmap, "T2", kMaps, "the end of such a view", false),
    MEMORY(memory_native, "any", "", "the vendor's own object of an allocation; without: unsupported", false),
    MEMORY(memory_wrap, "any", "", "allocations of the vendor's interface used through Qiao; without: unsupported", false),
    MEMORY(memory_import, "T2", "", "host memory used where it lies, and memory of other devices and processes; without: unsupported", false),
    MEMORY(memory_export, "T2", "", "device memory handed to other processes; without: unsupported", false),
    MEMORY(memory_evict, "T2", kEviction, "more shared memory than the card has; without: only with addresses that the library makes", false),
    MEMORY(memory_restore, "T2", kEviction, "memory back behind an evicted address", false),
    PROGRAM(program_load, "T0", "", "kernels of the card's own format", true),
    PROGRAM(program_unload, "T0", "", "programs given back", true),
    PROGRAM(kernel_find, "T0", "", "a kernel by its name", true),
    PROGRAM(kernel_launch, "T0", "", "kernels that run", true),
    PROGRAM(program_score, "any", "", "the best of several variants; without: the order of the device's formats", false),
    QUEUE(queue_create, "T1", kQueues, "the card works on its own while the host goes on; without: a thread of the core works it", false),
    QUEUE(queue_destroy, "T1", kQueues, kQueuesBring, false),
    QUEUE(queue_launch, "T1", kQueues, kQueuesBring, false),
    QUEUE(queue_copy, "T1", kQueues, kQueuesBring, false),
    QUEUE(queue_mark, "T1", kQueues, kQueuesBring, false),
    QUEUE(queue_poll, "T1", kQueues, kQueuesBring, false),
    QUEUE(queue_wait, "T1", "", "waits that sleep in the driver; without: notification or polling", false),
    QUEUE(queue_fill, "T1", "", "fills without a buffer to copy from", false),
    QUEUE(queue_after, "T1", "", "queues that wait for each other on the card; without: the core waits", false),
    QUEUE(queue_notify, "T1", "", "completion without polling", false),
    QUEUE(queue_timestamps, "T1", "", "the card's own times of an operation; without: the host's clock around it", false),
    QUEUE(queue_native, "any", "", "the vendor's own queue, for programs that use both; without: unsupported", false),
    QUEUE(queue_wrap, "any", "", "queues of the vendor's interface used through Qiao; without: unsupported", false),
    QUEUE(queue_can_copy, "T1", "", "three-dimensional copies in one call, and plans that know what the queue refuses", false),
    QUEUE(queue_prefetch, "T2", "", "shared memory that is moved before it is used; without: when it is used", false),
};

#undef SLOT
#undef AT
#undef DEVICE
#undef MEMORY
#undef PROGRAM
#undef QUEUE

} // namespace

std::span<const SlotKind> slot_kinds() {
    return kSlots;
}

TableKind table_kind(SlotTable table) {
    switch (table) {
        case SlotTable::kDevice:
            return {"device", sizeof(qiao_plugin_device_ops)};
        case SlotTable::kMemory:
            return {"memory", sizeof(qiao_plugin_memory_ops)};
        case SlotTable::kProgram:
            return {"program", sizeof(qiao_plugin_program_ops)};
        case SlotTable::kQueue:
            break;
    }
    return {"queue", sizeof(qiao_plugin_queue_ops)};
}

} // namespace qiao::cli
