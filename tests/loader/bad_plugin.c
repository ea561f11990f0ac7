/* One plugin per thing that can be wrong: the build defines exactly one BAD_... macro. Without any it is a good discovery
 * and compute plugin with two devices that are never opened. Its id is "bad". */
#include <string.h>

#include "qiao/plugin.h"

#if defined(BAD_UNDEFINED)
void nobody_defines_this(void);
#elif defined(BAD_MISSING_DEPENDENCY)
int qiao_test_dependency(void);
#endif

static const qiao_host_api* the_host;

static inline void say(const char* message, const char* remedy) {
    qiao_plugin_error error = {0};
    error.struct_size = sizeof(error);
    error.status = QIAO_ERROR_PLUGIN;
    error.message = message;
    error.remedy = remedy;
    error.vendor_code = -1001;
    error.vendor_text = "BAD_NO_CARD";
    the_host->error(the_host->host, &error);
}

static qiao_status bad_device_count(void* plugin, uint32_t* out_count) {
    (void)plugin;
    *out_count = 2;
#if defined(BAD_ZERO_DEVICES)
    *out_count = 0;
#elif defined(BAD_ZERO_DEVICES_WITH_WORDS)
    say("no card answers", "load the driver with modprobe bad");
    *out_count = 0;
#elif defined(BAD_COUNT_FAILS)
    say("the driver is too old: 1.2, at least 2.0", "update the driver");
    return QIAO_ERROR_PLUGIN;
#elif defined(BAD_COUNT_FAILS_SILENTLY)
    return QIAO_ERROR_DEVICE_LOST;
#elif defined(BAD_COUNT_STATUS)
    return 77;
#elif defined(BAD_COUNT_TIMEOUT)
    return QIAO_TIMEOUT;
#elif defined(BAD_MANY_DEVICES)
    *out_count = 16385;
#elif defined(BAD_MOST_DEVICES)
    *out_count = 1024;
#elif defined(BAD_OLD_ERROR)
    qiao_plugin_error error = {0};
    error.struct_size = offsetof(qiao_plugin_error, remedy); /* of a version that ended there */
    error.status = QIAO_ERROR_PLUGIN;
    error.message = "in an older struct";
    error.remedy = (const char*)1;
    the_host->error(the_host->host, &error);
    return QIAO_ERROR_PLUGIN;
#endif
    return QIAO_OK;
}

#ifdef BAD_DEVICE_TABLES
static const qiao_plugin_tables empty_tables = {sizeof(qiao_plugin_tables), NULL, NULL, NULL, NULL, NULL, NULL};
#endif

static qiao_status bad_device_query(void* plugin, uint32_t index, qiao_plugin_device_info* out_info) {
    (void)plugin;
    strcpy(out_info->name, index == 0 ? "first" : "second");
    out_info->formats = "none";
#if defined(BAD_ONE_QUERY_FAILS)
    if (index == 0) {
        say("card 0 has fallen off the bus", "reseat it");
        return QIAO_ERROR_DEVICE_LOST;
    }
#elif defined(BAD_ALL_QUERIES_FAIL)
    return QIAO_ERROR_UNSUPPORTED;
#elif defined(BAD_DEVICE_OVERRUN)
    memset(out_info + 1, 0, 1);
#elif defined(BAD_DEVICE_TEXT)
    memset(out_info->name, 'n', sizeof(out_info->name));
    memset(out_info->note, 'o', sizeof(out_info->note));
    out_info->struct_size = 0;
    out_info->formats = NULL;
#elif defined(BAD_DEVICE_TABLES)
    if (index == 1) out_info->tables = &empty_tables;
#endif
    return QIAO_OK;
}

static qiao_status bad_device_open(void* plugin, uint32_t index, uint64_t token, void** out_device) {
    (void)plugin, (void)index, (void)token, (void)out_device;
    return QIAO_ERROR_UNSUPPORTED;
}
static void bad_device_close(void* device) {
    (void)device;
}
static qiao_status bad_device_synchronize(void* device, uint64_t timeout_ns) {
    (void)device, (void)timeout_ns;
    return QIAO_OK;
}
static qiao_status bad_memory_allocate(void* device, const qiao_plugin_memory_desc* desc, qiao_plugin_allocation* out) {
    (void)device, (void)desc, (void)out;
    return QIAO_ERROR_UNSUPPORTED;
}
static void bad_memory_free(void* device, void* allocation) {
    (void)device, (void)allocation;
}
static qiao_status bad_memory_write(void* device, void* allocation, uint64_t offset, const void* source,
                                    uint64_t size) {
    (void)device, (void)allocation, (void)offset, (void)source, (void)size;
    return QIAO_ERROR_UNSUPPORTED;
}
static qiao_status bad_memory_read(void* device, void* allocation, uint64_t offset, void* target, uint64_t size) {
    (void)device, (void)allocation, (void)offset, (void)target, (void)size;
    return QIAO_ERROR_UNSUPPORTED;
}
static qiao_status bad_program_load(void* device, const qiao_plugin_program_desc* desc, void** out_program) {
    (void)device, (void)desc, (void)out_program;
    return QIAO_ERROR_UNSUPPORTED;
}
static void bad_program_unload(void* device, void* program) {
    (void)device, (void)program;
}
static qiao_status bad_kernel_find(void* program, const qiao_plugin_kernel_desc* desc, qiao_plugin_kernel* out_kernel) {
    (void)program, (void)desc, (void)out_kernel;
    return QIAO_ERROR_UNSUPPORTED;
}
static qiao_status bad_kernel_launch(void* device, void* kernel, const qiao_plugin_geometry* geometry,
                                     const void* block, const qiao_plugin_binding* bindings) {
    (void)device, (void)kernel, (void)geometry, (void)block, (void)bindings;
    return QIAO_ERROR_UNSUPPORTED;
}
static inline qiao_status bad_memory_evict(void* device, void* allocation) {
    (void)device, (void)allocation;
    return QIAO_ERROR_UNSUPPORTED;
}
static inline qiao_status bad_memory_map(void* device, void* allocation, uint64_t offset, uint64_t size, uint64_t flags,
                                         void** out_pointer) {
    (void)device, (void)allocation, (void)offset, (void)size, (void)flags, (void)out_pointer;
    return QIAO_ERROR_UNSUPPORTED;
}
static inline qiao_status bad_queue_create(void* device, const qiao_plugin_queue_desc* desc, void** out_queue) {
    (void)device, (void)desc, (void)out_queue;
    return QIAO_ERROR_UNSUPPORTED;
}
static inline void bad_queue_destroy(void* queue) {
    (void)queue;
}

/* Tables are filled in by code, so that a define can leave out any one slot by name: BAD_NULL_SLOT=memory_free. */
static qiao_plugin_device_ops device_ops;
static qiao_plugin_memory_ops memory_ops;
static qiao_plugin_program_ops program_ops;
static qiao_plugin_queue_ops queue_ops;
static qiao_plugin_tables tables;

static void fill_tables(void) {
    device_ops = (qiao_plugin_device_ops){sizeof(device_ops),
                                          bad_device_count,
                                          bad_device_query,
                                          bad_device_open,
                                          bad_device_close,
                                          bad_device_synchronize,
                                          NULL,
                                          NULL,
                                          NULL,
                                          NULL,
                                          NULL};
    memory_ops = (qiao_plugin_memory_ops){.struct_size = sizeof(memory_ops),
                                          .memory_allocate = bad_memory_allocate,
                                          .memory_free = bad_memory_free,
                                          .memory_write = bad_memory_write,
                                          .memory_read = bad_memory_read};
    program_ops = (qiao_plugin_program_ops){sizeof(program_ops), bad_program_load,  bad_program_unload,
                                            bad_kernel_find,     bad_kernel_launch, NULL};
    queue_ops.struct_size = sizeof(queue_ops);
    tables = (qiao_plugin_tables){sizeof(tables), &device_ops, &memory_ops, &program_ops, NULL, NULL, NULL};
#if defined(BAD_NULL_SLOT)
    BAD_NULL_SLOT = NULL;
#elif defined(BAD_SHORT_TABLE)
    program_ops.struct_size = offsetof(qiao_plugin_program_ops, kernel_find) + 4;
#elif defined(BAD_TABLE_SIZE)
    memory_ops.struct_size = (size_t)-1;
#elif defined(BAD_TABLES_SIZE)
    tables.struct_size = 3;
#elif defined(BAD_NO_MEMORY_TABLE)
    tables.memory = NULL;
#elif defined(BAD_SHORT_TABLES)
    tables.struct_size = offsetof(qiao_plugin_tables, program);
#elif defined(BAD_HALF_QUEUE)
    queue_ops.queue_create = bad_queue_create;
    queue_ops.queue_destroy = bad_queue_destroy;
    tables.queue = &queue_ops;
#elif defined(BAD_MAP_ALONE)
    memory_ops.memory_map = bad_memory_map;
#elif defined(BAD_EVICT_ALONE)
    memory_ops.memory_evict = bad_memory_evict;
#elif defined(BAD_EXTENSION_NAME) || defined(BAD_EXTENSION_TABLE) || defined(BAD_EXTENSIONS_NO_END)
    static qiao_plugin_extension extensions[65];
    for (int i = 0; i < 65; ++i) extensions[i] = (qiao_plugin_extension){"bad.thing.1", &tables};
#if defined(BAD_EXTENSION_NAME)
    extensions[1].name = "bad.thing.v2";
#elif defined(BAD_EXTENSION_TABLE)
    extensions[1].table = NULL;
#endif
    tables.extensions = extensions;
#endif
}

static void bad_plugin_close(void* plugin) {
    (void)plugin;

    the_host->log(the_host->host, QIAO_LOG_LEVEL_INFO, "closed");
}

#ifdef BAD_NO_SYMBOL
QIAO_EXPORT qiao_status qiao_plugin_query_of_another_name(const qiao_host_api* host, qiao_plugin_info* out_info) {
#else
QIAO_EXPORT qiao_status qiao_plugin_query(const qiao_host_api* host, qiao_plugin_info* out_info) {
#endif
    the_host = host;
    fill_tables();
    out_info->abi_major = QIAO_PLUGIN_ABI_MAJOR;
    out_info->abi_minor = QIAO_PLUGIN_ABI_MINOR;
    out_info->roles = QIAO_PLUGIN_ROLE_DISCOVERY | QIAO_PLUGIN_ROLE_COMPUTE;
    out_info->id = "bad";
    out_info->version = "9.9";
    out_info->build = "fixture";
    out_info->tables = &tables;
    out_info->plugin_close = bad_plugin_close;
    host->log(host->host, QIAO_LOG_LEVEL_INFO, "asked");
#if defined(BAD_UNDEFINED)
    nobody_defines_this();
#elif defined(BAD_MISSING_DEPENDENCY)
    return qiao_test_dependency();
#elif defined(BAD_ABI_NEW)
out_info->abi_major = QIAO_PLUGIN_ABI_MAJOR + 1;
out_info->tables = (const qiao_plugin_tables*)1; /* another major's layout: nothing of it may be read */
out_info->id = (const char*)1;
out_info->plugin_close = (void (*)(void*))(size_t)1;
#elif defined(BAD_ABI_OLD)
out_info->abi_major = QIAO_PLUGIN_ABI_MAJOR - 1;
#elif defined(BAD_ABI_MINOR)
out_info->abi_minor = out_info->abi_minor_least = QIAO_PLUGIN_ABI_MINOR + 3;
#elif defined(BAD_ABI_MINOR_FINE)
out_info->abi_minor = QIAO_PLUGIN_ABI_MINOR + 3;
#elif defined(BAD_OVERRUN)
memset(out_info + 1, 0x5a, 8);
#elif defined(BAD_OVERRUN_NEWER)
out_info->abi_minor = QIAO_PLUGIN_ABI_MINOR + 1;
memset(out_info + 1, 0x5a, 8);
#elif defined(BAD_INFO_SIZE)
out_info->struct_size = 0; /* ignored: the core knows what it gave */
#elif defined(BAD_NULL_TABLES)
out_info->tables = NULL;
#elif defined(BAD_NULL_ID)
out_info->id = NULL;
#elif defined(BAD_ID)
out_info->id = "Bad Plugin";
#elif defined(BAD_OTHER_ID)
out_info->id = "worse";
#elif defined(BAD_ROLES)
out_info->roles = 0;
#elif defined(BAD_FUTURE_ROLE)
out_info->roles = UINT64_C(1) << 40;
#elif defined(BAD_DISCOVERY_ONLY)
out_info->roles = QIAO_PLUGIN_ROLE_DISCOVERY;
tables.memory = NULL;
tables.program = NULL;
device_ops.device_open = NULL;
#elif defined(BAD_REFUSES)
out_info->refusal = "the licence\nhas expired";
out_info->remedy = "renew it";
return QIAO_ERROR_UNSUPPORTED;
#elif defined(BAD_REFUSES_THROUGH_HOST)
say("the driver's library is not there", "install bad-driver");
return QIAO_ERROR_NOT_FOUND;
#elif defined(BAD_REFUSES_SILENTLY)
return QIAO_ERROR_UNSUPPORTED;
#elif defined(BAD_REFUSES_EARLY)
memset((char*)out_info + sizeof(size_t), 0, sizeof(*out_info) - sizeof(size_t));
return QIAO_ERROR_UNSUPPORTED;
#elif defined(BAD_STATUS)
return -4321;
#elif defined(BAD_STATUS_POSITIVE)
return QIAO_NOT_READY;
#elif defined(BAD_NO_CLOSE)
out_info->plugin_close = NULL;
#endif
    return QIAO_OK;
}

#ifdef BAD_NO_CLOSE
/* For the test: what a thread of the vendor's would do after the instance is gone. */
QIAO_EXPORT void bad_plugin_speak(void) {
    the_host->log(the_host->host, QIAO_LOG_LEVEL_INFO, "from beyond");
}
#endif
