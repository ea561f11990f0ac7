// One list of slots, in ABI order, with what the core does where a plugin has none.
#include "dispatch/tables.h"

#include <algorithm>
#include <cstring>

namespace qiao {
namespace {

template <class Table>
void copy_table(Table& target, const Table* source) {
    if (source == nullptr) return;
    std::memcpy(&target, source, std::min(source->struct_size, sizeof target));
    target.struct_size = sizeof target;
}

struct SlotRule {
    const char* name;
    qiao_provenance (*provenance)(const DeviceTables& tables);
};

// A clock of the plugin's is of use only with the timestamps that are on it.
qiao_provenance clock_provenance(const DeviceTables& tables) {
    if (core_keeps_time(tables)) return QIAO_PROVENANCE_EMULATED;
    return tables.device.device_clock != nullptr ? QIAO_PROVENANCE_NATIVE : QIAO_PROVENANCE_ABSENT;
}

#define SLOT(table, member, otherwise) \
    {#member, [](const DeviceTables& tables) { return tables.table.member != nullptr ? QIAO_PROVENANCE_NATIVE : otherwise; }}
constexpr SlotRule kSlots[] = {
    SLOT(device, device_count, QIAO_PROVENANCE_ABSENT),
    SLOT(device, device_query, QIAO_PROVENANCE_ABSENT),
    SLOT(device, device_open, QIAO_PROVENANCE_ABSENT),
    SLOT(device, device_close, QIAO_PROVENANCE_ABSENT),
    SLOT(device, device_synchronize, QIAO_PROVENANCE_ABSENT),
    SLOT(device, device_state, QIAO_PROVENANCE_EMULATED),
    SLOT(device, device_reset, QIAO_PROVENANCE_ABSENT),
    SLOT(device, device_memory_free, QIAO_PROVENANCE_EMULATED),
    {"device_clock", clock_provenance},
    SLOT(device, device_native, QIAO_PROVENANCE_ABSENT),
    SLOT(memory, memory_allocate, QIAO_PROVENANCE_ABSENT),
    SLOT(memory, memory_free, QIAO_PROVENANCE_ABSENT),
    SLOT(memory, memory_write, QIAO_PROVENANCE_ABSENT),
    SLOT(memory, memory_read, QIAO_PROVENANCE_ABSENT),
    SLOT(memory, memory_map, QIAO_PROVENANCE_EMULATED),
    SLOT(memory, memory_unmap, QIAO_PROVENANCE_EMULATED),
    SLOT(memory, memory_native, QIAO_PROVENANCE_ABSENT),
    SLOT(memory, memory_wrap, QIAO_PROVENANCE_ABSENT),
    SLOT(memory, memory_import, QIAO_PROVENANCE_ABSENT),
    SLOT(memory, memory_export, QIAO_PROVENANCE_ABSENT),
    SLOT(memory, memory_evict, QIAO_PROVENANCE_ABSENT),
    SLOT(memory, memory_restore, QIAO_PROVENANCE_ABSENT),
    SLOT(program, program_load, QIAO_PROVENANCE_ABSENT),
    SLOT(program, program_unload, QIAO_PROVENANCE_ABSENT),
    SLOT(program, kernel_find, QIAO_PROVENANCE_ABSENT),
    SLOT(program, kernel_launch, QIAO_PROVENANCE_ABSENT),
    SLOT(program, program_score, QIAO_PROVENANCE_EMULATED),
    SLOT(queue, queue_create, QIAO_PROVENANCE_EMULATED),
    SLOT(queue, queue_destroy, QIAO_PROVENANCE_EMULATED),
    SLOT(queue, queue_launch, QIAO_PROVENANCE_EMULATED),
    SLOT(queue, queue_copy, QIAO_PROVENANCE_EMULATED),
    SLOT(queue, queue_mark, QIAO_PROVENANCE_EMULATED),
    SLOT(queue, queue_poll, QIAO_PROVENANCE_EMULATED),
    SLOT(queue, queue_wait, QIAO_PROVENANCE_EMULATED),
    SLOT(queue, queue_fill, QIAO_PROVENANCE_EMULATED),
    SLOT(queue, queue_after, QIAO_PROVENANCE_EMULATED),
    SLOT(queue, queue_notify, QIAO_PROVENANCE_EMULATED),
    SLOT(queue, queue_timestamps, QIAO_PROVENANCE_EMULATED),
    SLOT(queue, queue_native, QIAO_PROVENANCE_ABSENT),
    SLOT(queue, queue_wrap, QIAO_PROVENANCE_ABSENT),
    SLOT(queue, queue_can_copy, QIAO_PROVENANCE_EMULATED),
    SLOT(queue, queue_prefetch, QIAO_PROVENANCE_ABSENT),
    SLOT(link, link_describe, QIAO_PROVENANCE_ABSENT),
};
#undef SLOT
static_assert(std::size(kSlots) == kSlotCount);

qiao_plugin_tables full_length(const qiao_plugin_tables& tables) {
    qiao_plugin_tables whole{};
    std::memcpy(&whole, &tables, std::min(tables.struct_size, sizeof whole));
    return whole;
}

}  // namespace

DeviceTables copy_tables(const qiao_plugin_tables& tables) {
    const qiao_plugin_tables whole = full_length(tables);
    DeviceTables copy;
    copy_table(copy.device, whole.device);
    copy_table(copy.memory, whole.memory);
    copy_table(copy.program, whole.program);
    copy_table(copy.queue, whole.queue);
    copy_table(copy.link, whole.link);
    return copy;
}

std::vector<qiao_plugin_extension> copy_extensions(const qiao_plugin_tables& tables) {
    std::vector<qiao_plugin_extension> extensions;
    for (const qiao_plugin_extension* entry = full_length(tables).extensions; entry != nullptr && entry->name != nullptr; ++entry) extensions.push_back(*entry);
    return extensions;
}

bool has_native_queues(const DeviceTables& tables) {
    const qiao_plugin_queue_ops& queue = tables.queue;
    return queue.queue_create && queue.queue_destroy && queue.queue_launch && queue.queue_copy && queue.queue_mark &&
           queue.queue_poll;
}

bool core_keeps_time(const DeviceTables& tables) {
    return !has_native_queues(tables) || tables.queue.queue_timestamps == nullptr;
}

SlotInfo slot_info(const Device& device, uint32_t index) {
    return {kSlots[index].name, kSlots[index].provenance(device.tables)};
}

}  // namespace qiao
