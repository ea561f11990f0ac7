/* The null plugin: a queue whose slots do nothing and complete at once, so that what a launch costs is the core's own
 * work. Takes every program and finds every kernel; memory is the host's. The id comes from the manifest, so any number
 * of copies can be installed; with "x-queues": 0 it offers no queue table. */
#include "loader/fixture.h"

#define DEVICE_MEMORY (UINT64_C(1) << 30)

typedef struct null_plugin {
    const qiao_host_api* host;
    char id[64];
} null_plugin;

typedef struct null_queue {
    uint64_t marked;
} null_queue;

static char one_object; /* stands for every device, program and kernel */

static qiao_status null_device_count(void* plugin, uint32_t* out_count) {
    (void)plugin;
    *out_count = 1;
    return QIAO_OK;
}

static qiao_status null_device_query(void* plugin, uint32_t index, qiao_plugin_device_info* out_info) {
    (void)plugin;
    (void)index;
    out_info->flags = QIAO_PLUGIN_DEVICE_FREE_THREADED | QIAO_PLUGIN_DEVICE_SIMULATED;
    out_info->roles = QIAO_PLUGIN_ROLE_COMPUTE;
    strcpy(out_info->name, "null device");
    strcpy(out_info->note, "does nothing");
    out_info->memory_bytes = DEVICE_MEMORY;
    out_info->max_allocation_bytes = DEVICE_MEMORY;
    out_info->features = QIAO_FEATURE_FP64 | QIAO_FEATURE_FP16 | QIAO_FEATURE_INT64 | QIAO_FEATURE_ADDRESSES;
    out_info->memory_kinds = 1u << QIAO_MEMORY_KIND_DEVICE;
    out_info->compute_units = 1;
    out_info->max_group_size = 1024;
    out_info->local_memory_bytes = 64u << 10;
    for (int axis = 0; axis < 3; ++axis) {
        out_info->max_group[axis] = 1024;
        out_info->max_group_count[axis] = UINT32_MAX;
    }
    out_info->subgroup_width = 1;
    out_info->preferred_group_multiple = 1;
    out_info->max_argument_bytes = QIAO_MAX_ARGUMENT_BYTES;
    out_info->address_bits = 64;
    out_info->formats = "null;opencl-c";
    return QIAO_OK;
}

static qiao_status null_device_open(void* plugin, uint32_t index, uint64_t device_token, void** out_device) {
    (void)plugin;
    (void)index;
    (void)device_token;
    *out_device = &one_object;
    return QIAO_OK;
}

static void null_device_close(void* device) {
    (void)device;
}

static qiao_status null_device_synchronize(void* device, uint64_t timeout_ns) {
    (void)device;
    (void)timeout_ns;
    return QIAO_OK;
}

static qiao_status null_memory_allocate(void* device, const qiao_plugin_memory_desc* desc,
                                        qiao_plugin_allocation* out_allocation) {
    void* memory = NULL;
    (void)device;
    if (posix_memalign(&memory, desc->alignment < 64 ? 64 : desc->alignment, desc->size_bytes) != 0) {
        return QIAO_ERROR_OUT_OF_MEMORY;
    }
    out_allocation->allocation = memory;
    out_allocation->address = (uint64_t)(uintptr_t)memory;
    out_allocation->size_bytes = desc->size_bytes;
    return QIAO_OK;
}

static void null_memory_free(void* device, void* allocation) {
    (void)device;
    free(allocation);
}

static qiao_status null_memory_write(void* device, void* allocation, uint64_t offset, const void* source,
                                     uint64_t size_bytes) {
    (void)device;
    memcpy((char*)allocation + offset, source, size_bytes);
    return QIAO_OK;
}

static qiao_status null_memory_read(void* device, void* allocation, uint64_t offset, void* target,
                                    uint64_t size_bytes) {
    (void)device;
    memcpy(target, (const char*)allocation + offset, size_bytes);
    return QIAO_OK;
}

static qiao_status null_program_load(void* device, const qiao_plugin_program_desc* desc, void** out_program) {
    (void)device;
    (void)desc;
    *out_program = &one_object;
    return QIAO_OK;
}

static void null_program_unload(void* device, void* program) {
    (void)device;
    (void)program;
}

static qiao_status null_kernel_find(void* program, const qiao_plugin_kernel_desc* desc,
                                    qiao_plugin_kernel* out_kernel) {
    (void)program;
    (void)desc;
    out_kernel->kernel = &one_object;
    out_kernel->flags = QIAO_PLUGIN_KERNEL_GLOBAL_OFFSET | QIAO_PLUGIN_KERNEL_REMAINDER;
    return QIAO_OK;
}

static qiao_status null_kernel_launch(void* device, void* kernel, const qiao_plugin_geometry* geometry,
                                      const void* block, const qiao_plugin_binding* bindings) {
    (void)device;
    (void)kernel;
    (void)geometry;
    (void)block;
    (void)bindings;
    return QIAO_OK;
}

static qiao_status null_queue_create(void* device, const qiao_plugin_queue_desc* desc, void** out_queue) {
    (void)device;
    (void)desc;
    *out_queue = calloc(1, sizeof(null_queue));
    return *out_queue == NULL ? QIAO_ERROR_OUT_OF_MEMORY : QIAO_OK;
}

static void null_queue_destroy(void* queue) {
    free(queue);
}

static qiao_status null_queue_launch(void* queue, void* kernel, const qiao_plugin_geometry* geometry, const void* block,
                                     const qiao_plugin_binding* bindings, uint64_t value) {
    (void)queue;
    (void)kernel;
    (void)geometry;
    (void)block;
    (void)bindings;
    (void)value;
    return QIAO_OK;
}

static qiao_status null_queue_copy(void* queue, const qiao_plugin_copy* copy) {
    (void)queue;
    (void)copy;
    return QIAO_OK;
}

static qiao_status null_queue_mark(void* queue, uint64_t value) {
    __atomic_store_n(&((null_queue*)queue)->marked, value, __ATOMIC_RELEASE);
    return QIAO_OK;
}

static qiao_status null_queue_poll(void* queue, uint64_t* out_value) {
    *out_value = __atomic_load_n(&((null_queue*)queue)->marked, __ATOMIC_ACQUIRE);
    return QIAO_OK;
}

static const qiao_plugin_device_ops device_ops = {
    .struct_size = sizeof(qiao_plugin_device_ops),
    .device_count = null_device_count,
    .device_query = null_device_query,
    .device_open = null_device_open,
    .device_close = null_device_close,
    .device_synchronize = null_device_synchronize,
};

static const qiao_plugin_memory_ops memory_ops = {
    .struct_size = sizeof(qiao_plugin_memory_ops),
    .memory_allocate = null_memory_allocate,
    .memory_free = null_memory_free,
    .memory_write = null_memory_write,
    .memory_read = null_memory_read,
};

static const qiao_plugin_program_ops program_ops = {
    .struct_size = sizeof(qiao_plugin_program_ops),
    .program_load = null_program_load,
    .program_unload = null_program_unload,
    .kernel_find = null_kernel_find,
    .kernel_launch = null_kernel_launch,
};

static const qiao_plugin_queue_ops queue_ops = {
    .struct_size = sizeof(qiao_plugin_queue_ops),
    .queue_create = null_queue_create,
    .queue_destroy = null_queue_destroy,
    .queue_launch = null_queue_launch,
    .queue_copy = null_queue_copy,
    .queue_mark = null_queue_mark,
    .queue_poll = null_queue_poll,
};

static const qiao_plugin_tables tables = {sizeof(qiao_plugin_tables), &device_ops, &memory_ops, &program_ops,
                                          &queue_ops, NULL, NULL};
static const qiao_plugin_tables tables_without_queues = {sizeof(qiao_plugin_tables), &device_ops, &memory_ops,
                                                         &program_ops, NULL, NULL, NULL};

static void null_plugin_close(void* plugin) {
    free(plugin);
}

QIAO_EXPORT qiao_status qiao_plugin_query(const qiao_host_api* host, qiao_plugin_info* out_info) {
    null_plugin* plugin = calloc(1, sizeof(null_plugin));
    if (plugin == NULL) return QIAO_ERROR_OUT_OF_MEMORY;
    plugin->host = host;
    fixture_id(host, plugin->id, sizeof(plugin->id), "null");
    out_info->abi_major = QIAO_PLUGIN_ABI_MAJOR;
    out_info->abi_minor = QIAO_PLUGIN_ABI_MINOR;
    out_info->roles = QIAO_PLUGIN_ROLE_COMPUTE;
    out_info->id = plugin->id;
    out_info->version = "1.0";
    out_info->build = "fixture";
    out_info->plugin = plugin;
    out_info->tables = fixture_number(host, "\"x-queues\"", 1) != 0 ? &tables : &tables_without_queues;
    out_info->plugin_close = null_plugin_close;
    return QIAO_OK;
}
