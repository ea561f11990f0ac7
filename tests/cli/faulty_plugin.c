/* A T0 plugin with one device in host memory, right but for what the environment says: FAULTY=<fault>. Its kernel vector_add is
 * built in; programs have the format "faulty", and their bytes are not read. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qiao/plugin.h"

static const qiao_host_api* host;

static int is(const char* fault) {
    const char* wanted = getenv("FAULTY");
    return wanted != NULL && strcmp(wanted, fault) == 0;
}

static qiao_status fail(qiao_status status) {
    const qiao_plugin_error error = {.struct_size = sizeof(error), .status = status, .vendor_code = 102, .message = "as FAULTY says"};
    host->error(host->host, &error);
    return status;
}

static void hang(void) {
    for (volatile int forever = 1; forever;) {
    }
}

static qiao_status device_count(void* plugin, uint32_t* out_count) {
    (void)plugin;
    if (is("count_hangs")) hang();
    if (is("prints")) printf("looking for cards\n");
    *out_count = is("no_device") ? 0 : 1;
    if (is("no_device")) fail(QIAO_ERROR_NOT_FOUND);
    return QIAO_OK;
}

static qiao_status device_query(void* plugin, uint32_t index, qiao_plugin_device_info* out_info) {
    (void)plugin;
    (void)index;
    if (is("query_status")) return -4321;
    memset(out_info->name, 'x', is("name_without_end") ? sizeof(out_info->name) : 4);
    strcpy(out_info->vendor, "Qiao tests");
    strcpy(out_info->driver, "1.0");
    out_info->memory_bytes = 64u << 20;
    out_info->max_allocation_bytes = 64u << 20;
    out_info->features = QIAO_FEATURE_INT64 | QIAO_FEATURE_ADDRESSES;
    out_info->memory_kinds = is("no_kinds") ? 0 : 1u << QIAO_MEMORY_KIND_DEVICE;
    out_info->compute_units = 1;
    out_info->max_group_size = 256;
    for (int axis = 0; axis < 3; ++axis) {
        out_info->max_group[axis] = 256;
        out_info->max_group_count[axis] = is("no_limits") && axis > 0 ? 0 : 65535;
    }
    out_info->max_argument_bytes = is("no_limits") ? 0 : QIAO_MAX_ARGUMENT_BYTES;
    out_info->address_bits = 64;
    out_info->formats = is("no_formats") ? NULL : "faulty";
    if (is("struct_size")) out_info->struct_size = 8;
    return QIAO_OK;
}

static qiao_status device_open(void* plugin, uint32_t index, uint64_t token, void** out_device) {
    (void)plugin;
    (void)index;
    (void)token;
    if (is("open_crashes")) raise(SIGSEGV);
    if (is("open_hangs")) hang();
    if (is("open_fails")) return fail(QIAO_ERROR_PLUGIN);
    *out_device = (void*)&host;
    return QIAO_OK;
}

static void device_close(void* device) {
    (void)device;
}

static qiao_status device_synchronize(void* device, uint64_t timeout_ns) {
    (void)device;
    (void)timeout_ns;
    if (is("synchronize_times_out")) return QIAO_TIMEOUT;
    return is("synchronize_fails") ? fail(QIAO_ERROR_PLUGIN) : QIAO_OK;
}

static qiao_status memory_allocate(void* device, const qiao_plugin_memory_desc* desc, qiao_plugin_allocation* out_allocation) {
    (void)device;
    if (is("allocate_fails")) return fail(QIAO_ERROR_OUT_OF_MEMORY);
    if (is("allocate_says_nothing")) return QIAO_ERROR_PLUGIN;
    out_allocation->allocation = host->allocate(host->host, desc->size_bytes, desc->alignment);
    out_allocation->address = (uint64_t)(uintptr_t)out_allocation->allocation;
    out_allocation->size_bytes = desc->size_bytes;
    return QIAO_OK;
}

static void memory_free(void* device, void* allocation) {
    (void)device;
    host->release(host->host, allocation);
}

static qiao_status memory_write(void* device, void* allocation, uint64_t offset, const void* source, uint64_t size_bytes) {
    (void)device;
    memcpy((char*)allocation + offset, source, size_bytes);
    return QIAO_OK;
}

static qiao_status memory_read(void* device, void* allocation, uint64_t offset, void* target, uint64_t size_bytes) {
    (void)device;
    memcpy(target, (char*)allocation + offset, size_bytes);
    return QIAO_OK;
}

static qiao_status program_load(void* device, const qiao_plugin_program_desc* desc, void** out_program) {
    (void)desc;
    if (is("load_crashes")) raise(SIGSEGV);
    *out_program = device;
    return QIAO_OK;
}

static void program_unload(void* device, void* program) {
    (void)device;
    (void)program;
}

static qiao_status kernel_find(void* program, const qiao_plugin_kernel_desc* desc, qiao_plugin_kernel* out_kernel) {
    (void)desc;
    out_kernel->kernel = is("kernel_is_null") ? NULL : program;
    return QIAO_OK;
}

static qiao_status kernel_launch(void* device, void* kernel, const qiao_plugin_geometry* geometry, const void* block,
                                 const qiao_plugin_binding* bindings) {
    float* arrays[3];
    (void)device;
    (void)kernel;
    (void)bindings;
    if (is("launch_crashes")) raise(SIGSEGV);
    if (is("launch_exits")) exit(0);
    if (is("launch_status")) return -4321;
    memcpy(arrays, block, sizeof(arrays));
    for (uint32_t i = 0; i < geometry->group_count[0] * geometry->group_size[0]; ++i)
        arrays[2][i] = arrays[0][i] + arrays[1][i] + (is("wrong_sums") && i == 5 ? 1.0f : 0.0f);
    return QIAO_OK;
}

static const qiao_plugin_device_ops device_ops = {.struct_size = sizeof(qiao_plugin_device_ops),
                                                  .device_count = device_count,
                                                  .device_query = device_query,
                                                  .device_open = device_open,
                                                  .device_close = device_close,
                                                  .device_synchronize = device_synchronize};
static const qiao_plugin_memory_ops memory_ops = {.struct_size = sizeof(qiao_plugin_memory_ops),
                                                  .memory_allocate = memory_allocate,
                                                  .memory_free = memory_free,
                                                  .memory_write = memory_write,
                                                  .memory_read = memory_read};
static const qiao_plugin_program_ops program_ops = {.struct_size = sizeof(qiao_plugin_program_ops),
                                                    .program_load = program_load,
                                                    .program_unload = program_unload,
                                                    .kernel_find = kernel_find,
                                                    .kernel_launch = kernel_launch};
static const qiao_plugin_tables tables = {
    .struct_size = sizeof(qiao_plugin_tables), .device = &device_ops, .memory = &memory_ops, .program = &program_ops};

static void plugin_close(void* plugin) {
    (void)plugin;
}

QIAO_EXPORT qiao_status qiao_plugin_query(const qiao_host_api* the_host, qiao_plugin_info* out_info) {
    host = the_host;
    out_info->abi_major = QIAO_PLUGIN_ABI_MAJOR;
    out_info->abi_minor = QIAO_PLUGIN_ABI_MINOR;
    out_info->roles = QIAO_PLUGIN_ROLE_DISCOVERY | QIAO_PLUGIN_ROLE_COMPUTE;
    out_info->id = "faulty";
    out_info->version = "1";
    out_info->tables = &tables;
    out_info->plugin_close = plugin_close;
    return QIAO_OK;
}
