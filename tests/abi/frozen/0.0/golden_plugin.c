/* A whole plugin of ABI 0.0, as a vendor would have built it then: every slot that there was, on devices in host memory. It is
 * never changed. Queues run each operation when it is given; the one kernel, `add`, adds two arrays of 32-bit integers. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "qiao/plugin.h"

typedef struct device { const qiao_host_api* host; uint64_t token, used; } device;
typedef struct allocation { char* bytes; uint64_t size; } allocation;
typedef struct queue { device* owner; uint64_t submitted, marked, token, start[4096], end[4096]; } queue;

static const qiao_host_api* the_host;

static uint64_t now(void) { return the_host->now_ns(the_host->host); }

static qiao_status device_count(void* plugin, uint32_t* out_count) { (void)plugin; *out_count = 1; return QIAO_OK; }
static qiao_status device_query(void* plugin, uint32_t index, qiao_plugin_device_info* out_info) {
    qiao_plugin_device_info info;
    size_t size = out_info->struct_size;
    (void)plugin; (void)index;
    memset(&info, 0, sizeof info);
    info.flags = QIAO_PLUGIN_DEVICE_FREE_THREADED | QIAO_PLUGIN_DEVICE_SIMULATED;
    strcpy(info.name, "golden 0.0");
    strcpy(info.note, "host memory");
    info.memory_bytes = info.max_allocation_bytes = 1u << 24;
    info.features = QIAO_FEATURE_INT64;
    info.memory_kinds = 1u << QIAO_MEMORY_KIND_DEVICE;
    info.compute_units = 1;
    info.max_group_size = 64;
    info.local_memory_bytes = 1024;
    for (int axis = 0; axis < 3; ++axis) { info.max_group[axis] = 64; info.max_group_count[axis] = 65535; }
    info.max_argument_bytes = 256;
    info.address_bits = 64;
    info.formats = "fixture";
    info.struct_size = size; /* what the core gave; no byte beyond it is touched */
    memcpy(out_info, &info, size < sizeof info ? size : sizeof info);
    return QIAO_OK;
}
static qiao_status device_open(void* plugin, uint32_t index, uint64_t token, void** out_device) {
    device* opened = calloc(1, sizeof *opened);
    (void)plugin; (void)index;
    opened->host = the_host;
    opened->token = token;
    *out_device = opened;
    return QIAO_OK;
}
static void device_close(void* closing) { free(closing); }
static qiao_status device_synchronize(void* handle, uint64_t timeout_ns) { (void)handle; (void)timeout_ns; return QIAO_OK; }
static qiao_status device_state(void* handle, qiao_plugin_device_state* out_state, char* reason, size_t reason_size) {
    (void)handle;
    *out_state = QIAO_PLUGIN_DEVICE_STATE_OK;
    if (reason_size != 0) reason[0] = '\0';
    return QIAO_OK;
}
static qiao_status device_reset(void* handle) { (void)handle; return QIAO_OK; }
static qiao_status device_memory_free(void* handle, uint64_t* out_free, uint64_t* out_total) {
    *out_total = 1u << 24;
    *out_free = *out_total - ((device*)handle)->used;
    return QIAO_OK;
}
static qiao_status device_clock(void* handle, uint64_t* out_device_ns, uint64_t* out_host_ns) { (void)handle; *out_device_ns = *out_host_ns = now(); return QIAO_OK; }

static qiao_status memory_allocate(void* handle, const qiao_plugin_memory_desc* desc, qiao_plugin_allocation* out) {
    allocation* made = calloc(1, sizeof *made);
    if (posix_memalign((void**)&made->bytes, desc->alignment, desc->size_bytes) != 0) { free(made); return QIAO_ERROR_OUT_OF_MEMORY; }
    made->size = desc->size_bytes;
    ((device*)handle)->used += made->size;
    out->allocation = made;
    out->address = (uint64_t)(uintptr_t)made->bytes;
    out->size_bytes = made->size;
    return QIAO_OK;
}
static void memory_free(void* handle, void* freed_) {
    allocation* freed = freed_;
    ((device*)handle)->used -= freed->size;
    free(freed->bytes);
    free(freed);
}
static qiao_status memory_write(void* handle, void* target, uint64_t offset, const void* source, uint64_t size) { (void)handle; memcpy(((allocation*)target)->bytes + offset, source, size); return QIAO_OK; }
static qiao_status memory_read(void* handle, void* source, uint64_t offset, void* target, uint64_t size) { (void)handle; memcpy(target, ((allocation*)source)->bytes + offset, size); return QIAO_OK; }
static qiao_status memory_map(void* handle, void* mapped, uint64_t offset, uint64_t size, uint64_t flags, void** out) { (void)handle; (void)size; (void)flags; *out = ((allocation*)mapped)->bytes + offset; return QIAO_OK; }
static qiao_status memory_unmap(void* handle, void* mapped, void* pointer) { (void)handle; (void)mapped; (void)pointer; return QIAO_OK; }

static int the_program, the_kernel;
static qiao_status program_load(void* handle, const qiao_plugin_program_desc* desc, void** out) { (void)handle; (void)desc; *out = &the_program; return QIAO_OK; }
static void program_unload(void* handle, void* program) { (void)handle; (void)program; }
static qiao_status kernel_find(void* program, const qiao_plugin_kernel_desc* desc, qiao_plugin_kernel* out) {
    (void)program;
    if (strcmp(desc->name, "add") != 0 || desc->block_size != 24) return QIAO_ERROR_NOT_FOUND;
    out->kernel = &the_kernel;
    return QIAO_OK;
}
static qiao_status kernel_launch(void* handle, void* kernel, const qiao_plugin_geometry* geometry, const void* block, const qiao_plugin_binding* bindings) {
    uint64_t address[3];
    (void)handle; (void)kernel; (void)bindings;
    memcpy(address, block, sizeof address);
    for (uint32_t i = 0; i < geometry->group_count[0] * geometry->group_size[0]; ++i) {
        ((uint32_t*)(uintptr_t)address[2])[i] = ((const uint32_t*)(uintptr_t)address[0])[i] + ((const uint32_t*)(uintptr_t)address[1])[i];
    }
    return QIAO_OK;
}
static qiao_status program_score(void* handle, const qiao_plugin_program_desc* desc, uint32_t* out_score, char* reason, size_t reason_size) { (void)handle; (void)desc; (void)reason; (void)reason_size; *out_score = 7; return QIAO_OK; }

static qiao_status queue_create(void* handle, const qiao_plugin_queue_desc* desc, void** out) {
    queue* made = calloc(1, sizeof *made);
    made->owner = handle;
    made->token = desc->token;
    *out = made;
    return QIAO_OK;
}
static void queue_destroy(void* handle) { free(handle); }
static qiao_status ran(queue* on, uint64_t value, uint64_t start) { on->submitted = value; on->start[value % 4096] = start; on->end[value % 4096] = now(); return QIAO_OK; }
static qiao_status queue_launch(void* handle, void* kernel, const qiao_plugin_geometry* geometry, const void* block, const qiao_plugin_binding* bindings, uint64_t value) {
    const uint64_t start = now();
    kernel_launch(((queue*)handle)->owner, kernel, geometry, block, bindings);
    return ran(handle, value, start);
}
static char* at(const qiao_plugin_place* place) { return (char*)(uintptr_t)place->address; }
static qiao_status queue_copy(void* handle, const qiao_plugin_copy* copy) {
    const uint64_t start = now();
    for (uint64_t row = 0; row < copy->rows; ++row) memcpy(at(&copy->target) + row * copy->target_pitch, at(&copy->source) + row * copy->source_pitch, copy->size_bytes);
    return ran(handle, copy->value, start);
}
static qiao_status queue_mark(void* handle, uint64_t value) { __atomic_store_n(&((queue*)handle)->marked, value, __ATOMIC_RELEASE); return QIAO_OK; }
static qiao_status queue_poll(void* handle, uint64_t* out_value) { *out_value = __atomic_load_n(&((queue*)handle)->marked, __ATOMIC_ACQUIRE); return QIAO_OK; }
static qiao_status queue_wait(void* handle, uint64_t value, uint64_t timeout_ns) { (void)handle; (void)value; (void)timeout_ns; return QIAO_OK; }
static qiao_status queue_fill(void* handle, const qiao_plugin_fill* fill) {
    const uint64_t start = now();
    for (uint64_t i = 0; i < fill->size_bytes; i += fill->pattern_size) memcpy(at(&fill->target) + i, fill->pattern, fill->pattern_size);
    return ran(handle, fill->value, start);
}
static qiao_status queue_after(void* handle, void* other, uint64_t other_value, uint64_t value) { (void)other; (void)other_value; return ran(handle, value, now()); }
static qiao_status queue_notify(void* handle, uint64_t value) { the_host->completed(the_host->host, ((queue*)handle)->token, value, QIAO_OK); return QIAO_OK; }
static qiao_status queue_timestamps(void* handle, uint64_t value, uint64_t* out_start, uint64_t* out_end) { *out_start = ((queue*)handle)->start[value % 4096]; *out_end = ((queue*)handle)->end[value % 4096]; return QIAO_OK; }

static const qiao_plugin_device_ops device_ops = {sizeof(qiao_plugin_device_ops), device_count, device_query, device_open, device_close, device_synchronize, device_state, device_reset, device_memory_free, device_clock};
static const qiao_plugin_memory_ops memory_ops = {sizeof(qiao_plugin_memory_ops), memory_allocate, memory_free, memory_write, memory_read, memory_map, memory_unmap};
static const qiao_plugin_program_ops program_ops = {sizeof(qiao_plugin_program_ops), program_load, program_unload, kernel_find, kernel_launch, program_score};
static const qiao_plugin_queue_ops queue_ops = {sizeof(qiao_plugin_queue_ops), queue_create, queue_destroy, queue_launch, queue_copy, queue_mark, queue_poll, queue_wait, queue_fill, queue_after, queue_notify, queue_timestamps};
static const qiao_plugin_tables tables = {sizeof(qiao_plugin_tables), &device_ops, &memory_ops, &program_ops, &queue_ops};

static void plugin_close(void* plugin) { (void)plugin; }

QIAO_EXPORT qiao_status qiao_plugin_query(const qiao_host_api* host, qiao_plugin_info* out_info) {
    if (host->struct_size < sizeof(qiao_host_api)) return QIAO_ERROR_UNSUPPORTED; /* a core may only have grown */
    the_host = host;
    out_info->abi_major = QIAO_PLUGIN_ABI_MAJOR;
    out_info->abi_minor = QIAO_PLUGIN_ABI_MINOR;
    out_info->roles = QIAO_PLUGIN_ROLE_COMPUTE;
    out_info->id = "golden";
    out_info->version = "0.0";
    out_info->build = "from its own header";
    out_info->tables = &tables;
    out_info->plugin_close = plugin_close;
    return QIAO_OK;
}
