/* The plugin's objects, one for each noun, and the tables of functions that the files of the same names end with. What the
 * core holds of them are plain pointers, which it hands back as the first arguments of the slots.
 *
 * The sources are C99 and valid C++20 as well: rename the files to .cpp where the vendor's interface is C++, and let no
 * exception leave a slot. */
#ifndef SKELETON_H
#define SKELETON_H

#include "qiao/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The vendor's functions that are called: result, name, arguments. */
#define SKELETON_FUNCTIONS(FUNCTION) FUNCTION(int, skeleton_vendor_count, (int* out_count))

typedef struct skeleton_library {
    void* handle; /* of dlopen; null = not open */
#define SKELETON_FUNCTION(result, name, arguments) result(*name) arguments;
    SKELETON_FUNCTIONS(SKELETON_FUNCTION)
#undef SKELETON_FUNCTION
} skeleton_library;

/* One for each instance of Qiao in the process: first argument of device_count and device_query. What instances share, static
 * data and a vendor's library that only one thread may enter, needs a mutex of the plugin's own. */
typedef struct skeleton_plugin {
    const qiao_host_api* host;
    skeleton_library library;
} skeleton_plugin;

/* An open device. */
typedef struct skeleton_device {
    skeleton_plugin* plugin;
    uint64_t token; /* for host->device_lost */
} skeleton_device;

typedef struct skeleton_allocation {
    skeleton_device* device;
} skeleton_allocation;

typedef struct skeleton_program {
    skeleton_device* device;
} skeleton_program;

typedef struct skeleton_kernel {
    skeleton_program* program;
} skeleton_kernel;

typedef struct skeleton_queue {
    skeleton_device* device;
    uint64_t token; /* for host->completed */
} skeleton_queue;

/* Whether the vendor's library is open, now or already; else its words are told. */
int skeleton_library_open(skeleton_plugin* plugin);
void skeleton_library_close(skeleton_library* library);

/* Hands the detail of a failure to the core; returns the status, for `return skeleton_fail(...);`. `vendor_code` and
 * `vendor_text` are the vendor's own number and its name, 0 and null where there is none. */
qiao_status skeleton_fail(const skeleton_plugin* plugin, qiao_status status, int64_t vendor_code, const char* vendor_text,
                          const char* message, const char* remedy);
/* What a slot answers until it is written. */
qiao_status skeleton_unsupported(const skeleton_plugin* plugin, const char* slot);

extern const qiao_plugin_device_ops skeleton_device_ops;
extern const qiao_plugin_memory_ops skeleton_memory_ops;
extern const qiao_plugin_program_ops skeleton_program_ops;
extern const qiao_plugin_queue_ops skeleton_queue_ops;

#ifdef __cplusplus
}
#endif
#endif
