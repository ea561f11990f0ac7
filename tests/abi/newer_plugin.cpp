// A plugin of a later minor than this core's: tables with more slots, structs with more members, an extension nobody knows,
// and optional slots that are null. It is loaded with the tests' kernels and wraps the golden plugin's functions.
//
// Built from the frozen plugin's source, whose tables are taken apart and put into larger ones.
#include <cstdlib>
#include <cstring>

#include "qiao/plugin.h"

extern "C" qiao_status golden_plugin_query(const qiao_host_api* host, qiao_plugin_info* out_info);

namespace {

// What a later header has: today's, and then some.
template <class Table>
struct Grown {
    Table today;
    void (*slots_of_tomorrow[6])();
};
struct GrownTables {
    qiao_plugin_tables today;
    const void* tables_of_tomorrow[3];
};
struct GrownInfo {
    qiao_plugin_device_info today;
    uint64_t members_of_tomorrow[8];
};

void never_called() {
    std::abort();
}

const qiao_plugin_tables* golden;
Grown<qiao_plugin_device_ops> device_ops;
Grown<qiao_plugin_memory_ops> memory_ops;
Grown<qiao_plugin_program_ops> program_ops;
Grown<qiao_plugin_queue_ops> queue_ops;
GrownTables tables;

template <class Table>
void grow(Grown<Table>& target, const Table& source) {
    std::memcpy(&target.today, &source, source.struct_size);
    target.today.struct_size = sizeof target;
    for (auto& slot : target.slots_of_tomorrow) slot = never_called;
}

// Writes as much of its larger struct as there is room for, and says how large its own is: the core must not believe that.
qiao_status device_query(void* plugin, uint32_t index, qiao_plugin_device_info* out_info) {
    GrownInfo info{};
    const size_t room = out_info->struct_size;
    info.today.struct_size = sizeof info.today;
    const qiao_status status = golden->device->device_query(plugin, index, &info.today);
    std::strcpy(info.today.name, "from tomorrow");
    std::memset(info.members_of_tomorrow, 0xee, sizeof info.members_of_tomorrow);
    info.today.flags |= UINT64_C(1) << 60;  // a flag of tomorrow's
    info.today.struct_size = sizeof info;
    std::memcpy(static_cast<void*>(out_info), &info, room < sizeof info ? room : sizeof info);
    return status;
}

// Grown out-structs that are assigned whole, beyond the room that an older core gives: forbidden, and survived.
qiao_status memory_allocate(void* device, const qiao_plugin_memory_desc* desc, qiao_plugin_allocation* out_allocation) {
    struct { qiao_plugin_allocation today; uint64_t tomorrow[4]; } allocation{};
    allocation.today.struct_size = sizeof allocation.today;
    const qiao_status status = golden->memory->memory_allocate(device, desc, &allocation.today);
    allocation.today.struct_size = sizeof allocation;
    std::memset(allocation.tomorrow, 0xee, sizeof allocation.tomorrow);
    std::memcpy(static_cast<void*>(out_allocation), &allocation, sizeof allocation);
    return status;
}

qiao_status kernel_find(void* program, const qiao_plugin_kernel_desc* desc, qiao_plugin_kernel* out_kernel) {
    struct { qiao_plugin_kernel today; uint64_t tomorrow[4]; } kernel{};
    kernel.today.struct_size = sizeof kernel.today;
    const qiao_status status = golden->program->kernel_find(program, desc, &kernel.today);
    kernel.today.flags |= UINT64_C(1) << 60;
    kernel.today.struct_size = sizeof kernel;
    std::memset(kernel.tomorrow, 0xee, sizeof kernel.tomorrow);
    std::memcpy(static_cast<void*>(out_kernel), &kernel, sizeof kernel);
    return status;
}

const size_t table_of_tomorrow[2] = {sizeof table_of_tomorrow, 42};
const qiao_plugin_extension extensions[] = {{"newer.future.3", table_of_tomorrow}, {nullptr, nullptr}};

}  // namespace

extern "C" QIAO_EXPORT qiao_status qiao_plugin_query(const qiao_host_api* host, qiao_plugin_info* out_info) {
    qiao_plugin_info info{};
    info.struct_size = sizeof info;
    const qiao_status status = golden_plugin_query(host, &info);
    golden = info.tables;
    grow(device_ops, *golden->device);
    grow(memory_ops, *golden->memory);
    grow(program_ops, *golden->program);
    grow(queue_ops, *golden->queue);
    device_ops.today.device_query = device_query;
    memory_ops.today.memory_allocate = memory_allocate;
    program_ops.today.kernel_find = kernel_find;
    // Null slots in the middle of tables: the core does without.
    device_ops.today.device_clock = nullptr;
    memory_ops.today.memory_map = nullptr;
    memory_ops.today.memory_unmap = nullptr;
    program_ops.today.program_score = nullptr;
    queue_ops.today.queue_wait = nullptr;
    queue_ops.today.queue_fill = nullptr;
    queue_ops.today.queue_after = nullptr;
    tables = {{sizeof tables, &device_ops.today, &memory_ops.today, &program_ops.today, &queue_ops.today, extensions, nullptr},
              {&tables, &tables, &tables}};
    info.abi_minor = QIAO_PLUGIN_ABI_MINOR + 5;
    info.abi_minor_least = 0;
    info.roles |= UINT64_C(1) << 40;  // a role of tomorrow's
    info.id = "newer";
    info.version = "9.9";
    info.tables = &tables.today;
    info.struct_size = out_info->struct_size;
    std::memcpy(static_cast<void*>(out_info), &info, out_info->struct_size < sizeof info ? out_info->struct_size : sizeof info);
    return status;
}
