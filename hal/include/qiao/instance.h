/* The instance: one application's view of all plugins. Creating it reads the manifests, loads the plugins that can be
 * loaded and lists their devices. A plugin that cannot be used never stops initialisation: the ledger says why. */
#ifndef QIAO_INSTANCE_H
#define QIAO_INSTANCE_H

#include "qiao/status.h"

typedef struct qiao_instance qiao_instance;

/// Called from any thread, possibly several at once; `source` is "core" or a plugin's id. Must not call into Qiao. At level
/// OUTPUT `text` is a line that a kernel printed, with its '\n' (what ends without one comes without), and `source` the
/// device's id and, behind a space, the kernel's name where the driver says it. It comes before the launch counts as reached.
typedef void (*qiao_log_callback)(void* user, qiao_log_level level, const char* source, const char* text);

typedef struct qiao_instance_desc {
    size_t struct_size;
    const void* next;            /* no extension is defined yet: null */
    const char* plugin_path;     /* folders of manifests, ':' between; null, or an empty one = QIAO_PLUGIN_PATH and the usual */
    const char* visible_devices; /* "mock:0,opencl:*", globs over device ids; null = QIAO_VISIBLE_DEVICES, else all */
    qiao_log_callback log;       /* null = warnings and errors to stderr, what kernels print to stdout */
    void* log_user;
    qiao_log_level log_level; /* 0 = QIAO_LOG, else warnings */
    uint32_t reserved0;
    uint64_t flags; /* none defined yet: 0 */
} qiao_instance_desc;
#define QIAO_INSTANCE_DESC_INIT {sizeof(qiao_instance_desc), NULL, NULL, NULL, NULL, NULL, 0u, 0u, 0u}

/// Creates an instance; `desc` may be null. Zero devices is a success. Costs milliseconds: make one, keep it.
/// Fails with INVALID_ARGUMENT for an unknown flag, chained struct or level.
QIAO_API qiao_status qiao_instance_create(const qiao_instance_desc* desc, qiao_instance** out_instance);
QIAO_API qiao_status qiao_instance_retain(qiao_instance* instance);
/// The last release waits for the work of all devices and closes them. Objects of the instance that the application still
/// holds keep it alive. Null is ignored.
QIAO_API qiao_status qiao_instance_release(qiao_instance* instance);

typedef uint32_t qiao_candidate_state;
#define QIAO_CANDIDATE_STATE_USABLE 1u       /* loaded, with devices */
#define QIAO_CANDIDATE_STATE_NO_DEVICES 2u   /* nothing to drive; not loaded if its manifest's hardware is missing */
#define QIAO_CANDIDATE_STATE_DISABLED 3u     /* by selection, or another of the same id came first */
#define QIAO_CANDIDATE_STATE_BAD_MANIFEST 4u /* unreadable, malformed, too large */
#define QIAO_CANDIDATE_STATE_NOT_LOADABLE 5u /* the library or its symbol is missing */
#define QIAO_CANDIDATE_STATE_INCOMPATIBLE 6u /* another ABI or architecture */
#define QIAO_CANDIDATE_STATE_REFUSED 7u      /* the plugin itself said no */
#define QIAO_CANDIDATE_STATE_FAILED 8u       /* a required slot is missing or failed, or it crashed, hung or exited when probed */

/// One entry of the ledger: a plugin that was considered. Strings live as long as the instance and are never null.
typedef struct qiao_candidate {
    size_t struct_size;
    const void* next;
    qiao_candidate_state state;
    uint32_t device_count;
    const char* manifest; /* path */
    const char* library;  /* path; "" = unknown */
    const char* plugin;   /* id; "" = unknown */
    const char* version;
    const char* reason; /* why it is in this state; "" when usable */
    const char* remedy; /* what to do; "" = nothing */
    const char* probe;  /* how it was tried out: "child", "cached"; not: "known", "in process"; "" = its library was not reached */
} qiao_candidate;
#define QIAO_CANDIDATE_INIT {sizeof(qiao_candidate), NULL, 0u, 0u, NULL, NULL, NULL, NULL, NULL, NULL, NULL}

/// Fills in entry `index` of the ledger, in search order. Fails with NOT_FOUND at the ledger's end.
QIAO_API qiao_status qiao_instance_query_candidate(qiao_instance* instance, uint32_t index, qiao_candidate* out_candidate);

/// The version of the library that is running, not of this header.
QIAO_API void qiao_query_version(uint32_t* out_major, uint32_t* out_minor, uint32_t* out_patch);

#endif
