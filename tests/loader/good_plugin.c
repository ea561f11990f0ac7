/* A minimal T0 plugin that works: devices in host memory, kernels that are functions of this file, found by name. The
 * manifest says what it is like: "x-devices" how many (1), "x-resolved": 1 devices without addresses, "x-free-threaded": 1,
 * "x-memory" bytes each (16 MiB), "x-hasty" its device_synchronize says TIMEOUT at once for so many milliseconds after a launch,
 * and fails if it was asked more than 1000 times meanwhile. Programs have the format "fixture"; their bytes are not read. */
#include "good_plugin.h"

#include "loader/fixture.h"

static qiao_status good_device_count(void* plugin, uint32_t* out_count) {
    *out_count = ((good_plugin*)plugin)->device_count;
    return QIAO_OK;
}

static qiao_status good_device_query(void* plugin_, uint32_t index, qiao_plugin_device_info* out_info) {
    const good_plugin* plugin = plugin_;
    out_info->flags = QIAO_PLUGIN_DEVICE_SIMULATED;
    if (plugin->resolved) out_info->flags |= QIAO_PLUGIN_DEVICE_ARGUMENTS_RESOLVED;
    if (plugin->free_threaded) out_info->flags |= QIAO_PLUGIN_DEVICE_FREE_THREADED;
    strcpy(out_info->name, "fixture device");
    out_info->name[strlen("fixture device")] = (char)('0' + index % 10);
    strcpy(out_info->vendor, "Qiao tests");
    strcpy(out_info->driver, "1.0");
    strcpy(out_info->note, "host memory, kernels built in");
    out_info->uuid[0] = (uint8_t)(index + 1);
    out_info->memory_bytes = plugin->memory_bytes;
    out_info->max_allocation_bytes = plugin->memory_bytes;
    out_info->features = QIAO_FEATURE_INT64 | (plugin->resolved ? 0 : QIAO_FEATURE_ADDRESSES);
    out_info->memory_kinds = 1u << QIAO_MEMORY_KIND_DEVICE;
    out_info->compute_units = 1;
    out_info->max_group_size = 256;
    out_info->local_memory_bytes = 16u << 10;
    for (int axis = 0; axis < 3; ++axis) {
        out_info->max_group[axis] = 256;
        out_info->max_group_count[axis] = 65535;
    }
    out_info->max_argument_bytes = QIAO_MAX_ARGUMENT_BYTES;
    out_info->address_bits = 64;
    out_info->formats = "fixture";
    return QIAO_OK;
}

static qiao_status good_device_open(void* plugin, uint32_t index, uint64_t device_token, void** out_device) {
    good_device* device = calloc(1, sizeof(good_device));
    if (device == NULL) return QIAO_ERROR_OUT_OF_MEMORY;
    device->plugin = plugin;
    device->index = index;
    device->token = device_token;
    *out_device = device;
    return QIAO_OK;
}

static void good_device_close(void* device) {
    free(device);
}

static qiao_status good_device_synchronize(void* device_, uint64_t timeout_ns) {
    good_device* device = device_; /* launches have ended when they return */
    const qiao_host_api* host = device->plugin->host;
    (void)timeout_ns;
    if (device->plugin->hasty_ms == 0) return QIAO_OK;
    if (++device->questions > 1000) return fixture_fail(host, QIAO_ERROR_PLUGIN, "asked more than 1000 times in one wait", "");
    if (host->now_ns(host->host) < device->busy_until_ns) return QIAO_TIMEOUT;
    device->questions = 0;
    return QIAO_OK;
}

static qiao_status good_memory_allocate(void* device_, const qiao_plugin_memory_desc* desc,
                                        qiao_plugin_allocation* out_allocation) {
    good_device* device = device_;
    good_allocation* allocation = NULL;
    if (desc->size_bytes > device->plugin->memory_bytes - __atomic_load_n(&device->used_bytes, __ATOMIC_RELAXED)) {
        return fixture_fail(device->plugin->host, QIAO_ERROR_OUT_OF_MEMORY, "the fixture's memory is full",
                            "free something");
    }
    allocation = calloc(1, sizeof(good_allocation));
    if (allocation == NULL) return QIAO_ERROR_OUT_OF_MEMORY;
    if (posix_memalign((void**)&allocation->bytes, desc->alignment < 64 ? 64 : desc->alignment, desc->size_bytes) !=
        0) {
        free(allocation);
        return QIAO_ERROR_OUT_OF_MEMORY;
    }
    memset(allocation->bytes, 0xcd, desc->size_bytes); /* what was not written is recognised */
    allocation->size_bytes = desc->size_bytes;
    __atomic_fetch_add(&device->used_bytes, desc->size_bytes, __ATOMIC_RELAXED);
    out_allocation->allocation = allocation;
    out_allocation->address = device->plugin->resolved ? 0 : (uint64_t)(uintptr_t)allocation->bytes;
    out_allocation->size_bytes = desc->size_bytes;
    return QIAO_OK;
}

static void good_memory_free(void* device_, void* allocation_) {
    good_device* device = device_;
    good_allocation* allocation = allocation_;
    __atomic_fetch_sub(&device->used_bytes, allocation->size_bytes, __ATOMIC_RELAXED);
    memset(allocation->bytes, 0xdd, allocation->size_bytes); /* so is what was freed */
    free(allocation->bytes);
    free(allocation);
}

static qiao_status good_memory_write(void* device, void* allocation, uint64_t offset, const void* source,
                                     uint64_t size_bytes) {
    (void)device;
    memcpy(((good_allocation*)allocation)->bytes + offset, source, size_bytes);
    return QIAO_OK;
}

static qiao_status good_memory_read(void* device, void* allocation, uint64_t offset, void* target,
                                    uint64_t size_bytes) {
    (void)device;
    memcpy(target, ((good_allocation*)allocation)->bytes + offset, size_bytes);
    return QIAO_OK;
}

static qiao_status good_program_load(void* device_, const qiao_plugin_program_desc* desc, void** out_program) {
    good_device* device = device_;
    good_program* program = NULL;
    if (strcmp(desc->format, "fixture") != 0) {
        return fixture_fail(device->plugin->host, QIAO_ERROR_UNSUPPORTED,
                            "the fixture takes only programs of format 'fixture'", "");
    }
    program = calloc(1, sizeof(good_program));
    if (program == NULL) return QIAO_ERROR_OUT_OF_MEMORY;
    program->device = device;
    *out_program = program;
    return QIAO_OK;
}

static void good_program_unload(void* device, void* program_) {
    good_program* program = program_;
    (void)device;
    while (program->kernels != NULL) {
        good_kernel* next = program->kernels->next;
        free(program->kernels);
        program->kernels = next;
    }
    free(program);
}

static qiao_status good_kernel_find(void* program_, const qiao_plugin_kernel_desc* desc,
                                    qiao_plugin_kernel* out_kernel) {
    good_program* program = program_;
    good_kernel* kernel = NULL;
    const good_function run = good_kernel_function(desc->name);
    if (run == NULL) {
        return fixture_fail(program->device->plugin->host, QIAO_ERROR_NOT_FOUND,
                            "the fixture has no kernel of that name", "see good_kernels.c for the names");
    }
    kernel = calloc(1, sizeof(good_kernel));
    if (kernel == NULL) return QIAO_ERROR_OUT_OF_MEMORY;
    kernel->run = run;
    kernel->desc = desc;
    kernel->next = program->kernels;
    program->kernels = kernel;
    out_kernel->kernel = kernel;
    out_kernel->flags = QIAO_PLUGIN_KERNEL_GLOBAL_OFFSET | QIAO_PLUGIN_KERNEL_REMAINDER;
    return QIAO_OK;
}

static qiao_status good_kernel_launch(void* device_, void* kernel_, const qiao_plugin_geometry* geometry,
                                      const void* block, const qiao_plugin_binding* bindings) {
    good_device* device = device_;
    const qiao_host_api* host = device->plugin->host;
    const good_kernel* kernel = kernel_;
    device->busy_until_ns = host->now_ns(host->host) + device->plugin->hasty_ms * UINT64_C(1000000);
    const good_launch launch = {device, kernel->desc, geometry, block, bindings};
    return kernel->run(&launch);
}

static const qiao_plugin_device_ops device_ops = {
    .struct_size = sizeof(qiao_plugin_device_ops),
    .device_count = good_device_count,
    .device_query = good_device_query,
    .device_open = good_device_open,
    .device_close = good_device_close,
    .device_synchronize = good_device_synchronize,
};

static const qiao_plugin_memory_ops memory_ops = {
    .struct_size = sizeof(qiao_plugin_memory_ops),
    .memory_allocate = good_memory_allocate,
    .memory_free = good_memory_free,
    .memory_write = good_memory_write,
    .memory_read = good_memory_read,
};

static const qiao_plugin_program_ops program_ops = {
    .struct_size = sizeof(qiao_plugin_program_ops),
    .program_load = good_program_load,
    .program_unload = good_program_unload,
    .kernel_find = good_kernel_find,
    .kernel_launch = good_kernel_launch,
};

static const qiao_plugin_tables tables = {
    .struct_size = sizeof(qiao_plugin_tables),
    .device = &device_ops,
    .memory = &memory_ops,
    .program = &program_ops,
};

static void good_plugin_close(void* plugin) {
    free(plugin);
}

QIAO_EXPORT qiao_status qiao_plugin_query(const qiao_host_api* host, qiao_plugin_info* out_info) {
    good_plugin* plugin = calloc(1, sizeof(good_plugin));
    if (plugin == NULL) return QIAO_ERROR_OUT_OF_MEMORY;
    plugin->host = host;
    plugin->device_count = fixture_number(host, "\"x-devices\"", 1);
    plugin->memory_bytes = fixture_number(host, "\"x-memory\"", 16u << 20);
    plugin->resolved = fixture_number(host, "\"x-resolved\"", 0) != 0;
    plugin->hasty_ms = fixture_number(host, "\"x-hasty\"", 0);
    plugin->free_threaded = fixture_number(host, "\"x-free-threaded\"", 0) != 0;
    fixture_id(host, plugin->id, sizeof(plugin->id), "fixture");
    out_info->abi_major = QIAO_PLUGIN_ABI_MAJOR;
    out_info->abi_minor = QIAO_PLUGIN_ABI_MINOR;
    out_info->roles = QIAO_PLUGIN_ROLE_COMPUTE;
    out_info->id = plugin->id;
    out_info->version = "1.0";
    out_info->build = "fixture";
    out_info->plugin = plugin;
    out_info->tables = &tables;
    out_info->plugin_close = good_plugin_close;
    return QIAO_OK;
}
