/* All that a vendor needs to make a card usable through Qiao: C99, no link dependency on Qiao.
 *
 * A plugin is a shared library that exports exactly one symbol, qiao_plugin_query. It fills in a description with const
 * tables of functions ("slots"), one table per noun. Thirteen slots marked "Required" make a card that runs kernels;
 * every further slot makes it faster, none is needed to make it correct: the core emulates what is missing.
 *
 * Conventions
 * - Structs are frozen ("F": hot ones and array elements, their size never changes) or growing ("G": they begin with
 *   struct_size and next; new fields come at the end). Write no byte beyond an incoming struct_size.
 * - Tables are append-only; a slot is present if struct_size covers it and it is not null. Slot order is ABI law.
 * - All slots but destructors return qiao_status. Say the detail with host->error before returning a failure.
 * - The core has checked handles, sizes, ranges and geometry before a slot is entered: do not check again.
 * - The slots of one queue are never entered concurrently, except queue_poll and queue_wait. Other slots of a device are
 *   serialised unless the device says QIAO_PLUGIN_DEVICE_FREE_THREADED. Threads are the application's: set the vendor's
 *   context in every slot.
 * - A device here is what one device_open returned. Two devices, one card that two instances in the process have opened, and
 *   device_count, device_query and device_open of two instances may be entered at the same time: what these share, the
 *   vendor's library and static data, the plugin guards itself.
 * - The host table stays valid until plugin_close has returned, or for ever where that is null.
 */
#ifndef QIAO_PLUGIN_H
#define QIAO_PLUGIN_H

#include "qiao/link_types.h"
#include "qiao/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The major changes when an existing plugin stops working; the minor with each slot, field, flag or meaning added. */
#define QIAO_PLUGIN_ABI_MAJOR 1u
#define QIAO_PLUGIN_ABI_MINOR 0u

/* ------------------------------------------------------------------------------------------------ host services */

/// The detail of a failure. G. All strings are copied before `error` returns; any may be null.
typedef struct qiao_plugin_error {
    size_t struct_size;
    const void* next;
    qiao_status status;
    uint32_t line; /* of the kernel's source, for QIAO_ERROR_BUILD; else 0 */
    int64_t vendor_code;
    const char* vendor_text;
    const char* message; /* what was wrong, the value, the limit */
    const char* remedy;  /* what to do */
    const char* log;     /* the compiler's build log */
} qiao_plugin_error;

/// What the core offers a plugin. G; the first 16 bytes are frozen for every major.
typedef struct qiao_host_api {
    size_t struct_size;
    uint32_t abi_major, abi_minor;
    void* host;                   /* first argument of every service */
    const char* plugin_directory; /* where the plugin's library lies */
    const char* manifest_json;    /* the manifest's text; "{}" when loaded without one */

    /* Callable from any thread, also a vendor's callback thread; never calls back into the plugin. */
    void (*log)(void* host, qiao_log_level level, const char* text);
    /// Every operation of the queue up to `value` has ended; `status` tells how.
    void (*completed)(void* host, uint64_t queue_token, uint64_t value, qiao_status status);
    void (*device_lost)(void* host, uint64_t device_token, const char* reason);

    /* Callable from the thread that is inside a slot. */
    void (*error)(void* host, const qiao_plugin_error* error);
    void* (*allocate)(void* host, size_t size, size_t alignment);
    void (*release)(void* host, void* pointer);
    /// Polling helper: spins, yields, then sleeps; TIMEOUT once now_ns() passes the deadline. Start with *round = 0.
    qiao_status (*pause)(void* host, uint32_t* round, uint64_t deadline_ns);
    uint64_t (*now_ns)(void* host); /* CLOCK_MONOTONIC */
    /// A service table by name ("vendor.noun.N"), or null.
    const void* (*extension)(void* host, const char* name);
    /// What a kernel of the device printed, before the value of its launch is reached; the text of one call of the kernel's
    /// `printf` in one piece. `kernel` may be null. From any thread, as `log`.
    void (*output)(void* host, uint64_t device_token, const char* kernel, const char* text, size_t size);
} qiao_host_api;

/// Whether `table` (of struct type `type`) has the member: struct_size covers it and it is not null.
#define QIAO_PLUGIN_HAS(type, table, member)                                                              \
    ((table)->struct_size >= offsetof(type, member) + sizeof((table)->member) && (table)->member != NULL)

/* ------------------------------------------------------------------------------------------------ memory */

#define QIAO_PLUGIN_MEMORY_SHAREABLE (UINT64_C(1) << 0) /* memory_export will be asked for it */

/// G. The core has rounded the size and checked it against the device's limit.
typedef struct qiao_plugin_memory_desc {
    size_t struct_size;
    const void* next;
    uint64_t size_bytes;
    uint64_t alignment; /* a power of two */
    qiao_memory_kind kind;
    uint32_t reserved0;
    uint64_t flags;
} qiao_plugin_memory_desc;

/// G. Written by the plugin into the core's memory.
typedef struct qiao_plugin_allocation {
    size_t struct_size;
    const void* next;
    void* allocation;      /* the plugin's own pointer, never null */
    uint64_t address;      /* the device address; ignored for a device without: the core makes one */
    void* host_pointer;    /* null = the host cannot touch it */
    uint64_t size_bytes;   /* usable; at least what was asked for */
    void* in_place; /* where the host may move the allocation's own bytes, of any kind, at the speed of host memory: copies then
                       need no staging. Work submitted later sees what was written. Null = host_pointer if there is one */
} qiao_plugin_allocation;

/// G. Memory that is there already.
typedef struct qiao_plugin_import {
    size_t struct_size;
    const void* next;
    qiao_share_type type;   /* one of the device's import_types */
    int32_t descriptor;     /* the core's: duplicate what is kept; -1 for HOST_POINTER */
    void* host_pointer;     /* HOST_POINTER: aligned to import_alignment; stays until memory_free has returned */
    uint64_t driver_data[4]; /* as memory_export gave it, but from another process: not to be trusted */
} qiao_plugin_import;

/// G. Written by the plugin into the core's memory.
typedef struct qiao_plugin_export {
    size_t struct_size;
    const void* next;
    int32_t descriptor; /* a new one, closed on exec, which the core closes; it comes in as -1 */
    uint32_t reserved0;
    uint64_t driver_data[4]; /* what memory_import needs beside it */
} qiao_plugin_export;

/// F, 24 bytes. One byte in a device's allocation or in host memory.
typedef struct qiao_plugin_place {
    void* allocation; /* null = host memory */
    uint64_t offset;
    uint64_t address; /* of the same byte, as the device (or the host) sees it; made by the core where it has none */
} qiao_plugin_place;

/* ------------------------------------------------------------------------------------------------ programs */

/// F, 32 bytes: an array element.
typedef struct qiao_plugin_argument {
    const char* name;
    qiao_argument_kind kind;
    qiao_access access;
    uint32_t offset; /* in the block; of a LOCAL argument: where its uint32_t byte count stands */
    uint32_t size_bytes;
    uint32_t alignment;
    uint32_t reserved0;
} qiao_plugin_argument;

/// G. The plugin is told the layout, it is never asked. Valid until program_unload returns.
typedef struct qiao_plugin_kernel_desc {
    size_t struct_size;
    const void* next;
    const char* name; /* entry in the variant */
    const qiao_plugin_argument* arguments;
    uint32_t argument_count;
    uint32_t block_size;
    uint32_t required_group[3]; /* zero = none */
    uint32_t static_local_bytes;
    qiao_features features;
    const char* vendor_metadata; /* the variant's text for this kernel; "" = none */
} qiao_plugin_kernel_desc;

#define QIAO_PLUGIN_KERNEL_GLOBAL_OFFSET (UINT64_C(1) << 0)   /* honours geometry.global_offset */
#define QIAO_PLUGIN_KERNEL_REMAINDER (UINT64_C(1) << 1)       /* runs short last groups */
#define QIAO_PLUGIN_KERNEL_ONE_ITEM_GROUPS (UINT64_C(1) << 2) /* runs groups of one item only */

/// G. Written by the plugin.
typedef struct qiao_plugin_kernel {
    size_t struct_size;
    const void* next;
    void* kernel; /* the plugin's own pointer, never null */
    uint32_t max_group_size;           /* 0 = the device's */
    uint32_t preferred_group_multiple; /* 0 = the device's */
    uint32_t private_bytes;            /* per work-item; 0 = unknown */
    uint32_t static_local_bytes;
    uint64_t flags;
} qiao_plugin_kernel;

/// G. `data` and all strings stay valid until program_unload returns.
typedef struct qiao_plugin_program_desc {
    size_t struct_size;
    const void* next;
    const char* format; /* "opencl-c", "host-elf", "spirv-opencl", "ptx", ...; with "+offset" kernel k is asked for as k__at */
    const char* target; /* pattern of the variant; "" = any */
    const char* tool;   /* who made the variant, with version */
    const void* data;
    uint64_t size_bytes;
    const char* options;         /* build options, for source formats */
    const char* cache_directory; /* null = keep nothing on disk */
    qiao_features features;
} qiao_plugin_program_desc;

/* ------------------------------------------------------------------------------------------------ launch */

/// F, 16 bytes: one per ADDRESS argument, in argument order; {null, 0} for address 0. `offset` may be the allocation's size.
/// What the block has in place of these addresses means nothing to the device.
typedef struct qiao_plugin_binding {
    void* allocation;
    uint64_t offset;
} qiao_plugin_binding;

/// F, 96 bytes for ever. Checked and filled by the core when the shape changes, then reused. `generation` is never 0 and new
/// with each contents: geometries of one generation are equal, so a plugin may keep what it derived from one.
typedef struct qiao_plugin_geometry {
    uint32_t group_count[3];
    uint32_t local_bytes; /* all LOCAL arguments, each rounded up to 128 */
    uint32_t group_size[3];
    uint32_t block_size;
    uint32_t global_offset[3];
    uint32_t binding_count;
    uint32_t tail[3]; /* items in the last group where it is short; 0 = full */
    uint32_t dimensions;
    uint64_t generation;
    uint64_t flags;
    uint64_t reserved0, reserved1;
} qiao_plugin_geometry;

/* ------------------------------------------------------------------------------------------------ devices */

#define QIAO_PLUGIN_DEVICE_FREE_THREADED (UINT64_C(1) << 0)      /* else the core serialises the device's slots */
#define QIAO_PLUGIN_DEVICE_ARGUMENTS_RESOLVED (UINT64_C(1) << 1) /* has no addresses: launches come with bindings */
#define QIAO_PLUGIN_DEVICE_SIMULATED (UINT64_C(1) << 2)          /* no hardware behind it; `note` says what is modelled */
#define QIAO_PLUGIN_DEVICE_UNIFIED (UINT64_C(1) << 3)            /* shares physical memory with the host */

#define QIAO_PLUGIN_ROLE_DISCOVERY (UINT64_C(1) << 0)
#define QIAO_PLUGIN_ROLE_COMPUTE (UINT64_C(1) << 1)

/// What a device says of one kind of memory. 0 says nothing: then it is what follows from the rest, which is
/// QIAO_MEMORY_LEVEL_POINTER for device memory with QIAO_FEATURE_ADDRESSES, else QIAO_MEMORY_LEVEL_ARGUMENT.
#define QIAO_PLUGIN_MEMORY_LEVEL(level) ((level) + 1u)

struct qiao_plugin_tables;

/// G. Zeroed by the core; the plugin fills what it knows, zero = unknown. Strings are NUL-terminated UTF-8.
typedef struct qiao_plugin_device_info {
    size_t struct_size;
    const void* next;
    uint64_t flags;
    uint64_t roles;
    char name[128];
    char vendor[64];
    char driver[64];
    char target[64]; /* what a variant's target pattern is matched with: "gfx906", "x86_64-v3" */
    char note[192];  /* what a person should know: what is simulated, what is missing */
    uint8_t uuid[16];
    uint32_t pci_domain, pci_bus, pci_device, pci_function;
    uint32_t pci_vendor_id, pci_device_id; /* 0 = not on PCI */
    uint64_t memory_bytes;
    uint64_t max_allocation_bytes;
    qiao_features features;
    uint32_t memory_kinds; /* bit (1 << kind) for each kind it allocates */
    uint32_t compute_units;
    uint32_t max_group_size; /* product of the three */
    uint32_t local_memory_bytes;
    uint32_t max_group[3];
    uint32_t max_group_count[3];
    uint32_t subgroup_width;
    uint32_t preferred_group_multiple;
    uint32_t max_argument_bytes;
    uint32_t queue_priorities; /* how many are told apart; 0 or 1 = one */
    uint32_t clock_mhz;
    uint32_t address_bits;
    const char* formats;                     /* of programs, best first: "host-elf", "spirv-opencl;opencl-c" */
    const struct qiao_plugin_tables* tables; /* null = the plugin's default tables */
    uint32_t memory_levels[4]; /* by kind: 0 or QIAO_PLUGIN_MEMORY_LEVEL(...); [0] is 0. The core holds each allocation to it */
    uint32_t import_types; /* bit (1 << qiao_share_type): HOST_POINTER, OPAQUE_FD, DMA_BUF; needs memory_import */
    uint32_t export_types; /* OPAQUE_FD, DMA_BUF; needs memory_export */
    uint64_t import_alignment; /* of host pointers, a power of two; up to a whole unit of it, but no page more, may be reached */
    uint8_t driver_uuid[16];   /* needed, with uuid, for OPAQUE_FD */
} qiao_plugin_device_info;

typedef uint32_t qiao_plugin_device_state;
#define QIAO_PLUGIN_DEVICE_STATE_OK 0u
#define QIAO_PLUGIN_DEVICE_STATE_LOST 1u
#define QIAO_PLUGIN_DEVICE_STATE_REMOVED 2u /* lost, and no longer there: no reset brings it back */

/* ------------------------------------------------------------------------------------------------ tables: append only */

typedef struct qiao_plugin_device_ops {
    size_t struct_size;
    /// Required. Zero is a success; a preceding host->error tells the user why there are none.
    qiao_status (*device_count)(void* plugin, uint32_t* out_count);
    /// Required. Must not open the device.
    qiao_status (*device_query)(void* plugin, uint32_t index, qiao_plugin_device_info* out_info);
    /// Required for compute.
    qiao_status (*device_open)(void* plugin, uint32_t index, uint64_t device_token, void** out_device);
    /// Required for compute. Everything made on the device has been destroyed. Succeeds on a lost device.
    void (*device_close)(void* device);
    /// Required for compute. All submitted work has ended when it returns QIAO_OK, at once on an idle device. Else it waits for
    /// the whole time and returns QIAO_TIMEOUT.
    qiao_status (*device_synchronize)(void* device, uint64_t timeout_ns);
    /// Optional; default: OK until device_lost is reported. `reason` is NUL-terminated text.
    qiao_status (*device_state)(void* device, qiao_plugin_device_state* out_state, char* reason, size_t reason_size);
    /// Optional; default: unsupported. Abandons all work, which touches nothing any more when it returns, and starts the device
    /// anew; it stays open. Nothing is destroyed meanwhile. Objects made before may still exist: from then on they are only
    /// destroyed. A call that was on its way may still arrive with one: answer QIAO_ERROR_DEVICE_LOST. Failing leaves it lost.
    qiao_status (*device_reset)(void* device);
    /// Optional; default: the core's own count.
    qiao_status (*device_memory_free)(void* device, uint64_t* out_free_bytes, uint64_t* out_total_bytes);
    /// Optional; default: the host's where the core makes the timestamps, else unsupported. One moment on both clocks.
    qiao_status (*device_clock)(void* device, uint64_t* out_device_ns, uint64_t* out_host_ns);
    /// Optional; default: unsupported. The vendor's own device, and what is needed to make objects that this plugin can wrap.
    qiao_status (*device_native)(void* device, qiao_native* out_native);
} qiao_plugin_device_ops;

typedef struct qiao_plugin_memory_ops {
    size_t struct_size;
    /// Required.
    qiao_status (*memory_allocate)(void* device, const qiao_plugin_memory_desc* desc, qiao_plugin_allocation* out_allocation);
    /// Required. No work that could use it is pending, or the device is lost.
    void (*memory_free)(void* device, void* allocation);
    /// Required. Blocks until `source` may be reused and later work sees the bytes.
    qiao_status (*memory_write)(void* device, void* allocation, uint64_t offset, const void* source, uint64_t size_bytes);
    /// Required. Blocks until the bytes are in `target`.
    qiao_status (*memory_read)(void* device, void* allocation, uint64_t offset, void* target, uint64_t size_bytes);
    /// Optional; default: the core maps a host copy. Flags: qiao_access bits.
    qiao_status (*memory_map)(void* device, void* allocation, uint64_t offset, uint64_t size_bytes, uint64_t flags,
                              void** out_pointer);
    /// Required with memory_map.
    qiao_status (*memory_unmap)(void* device, void* allocation, void* pointer);
    /// Optional; default: unsupported. The vendor's own object or pointer of the allocation.
    qiao_status (*memory_native)(void* device, void* allocation, qiao_native* out_native);
    /// Optional; default: unsupported. Makes an allocation of memory that the application got from the vendor. memory_free
    /// forgets it and leaves the memory to the application; a counted handle is retained meanwhile. `desc` has the size.
    qiao_status (*memory_wrap)(void* device, const qiao_plugin_memory_desc* desc, const qiao_native* native,
                               qiao_plugin_allocation* out_allocation);
    /// Optional; default: unsupported. An allocation of memory that is there already, which memory_free leaves as it is. Of
    /// HOST_POINTER it is the memory itself: what either side writes the other sees without a copy, at `host_pointer`; a
    /// device that cannot do so refuses. `desc` has the exact size.
    qiao_status (*memory_import)(void* device, const qiao_plugin_memory_desc* desc, const qiao_plugin_import* import,
                                 qiao_plugin_allocation* out_allocation);
    /// Optional; default: unsupported. A descriptor of an allocation that was made with QIAO_PLUGIN_MEMORY_SHAREABLE.
    qiao_status (*memory_export)(void* device, void* allocation, qiao_share_type type, qiao_plugin_export* out_export);
    /// Optional; default: such memory stays where it is. Gives up the card's memory behind an allocation of device memory: its contents
    /// are gone, its address stays its own. No work that could use it is pending, and until memory_restore has succeeded the core
    /// does nothing with it but memory_free. Not asked for where the core makes the addresses: there it frees and allocates.
    qiao_status (*memory_evict)(void* device, void* allocation);
    /// Required with memory_evict. Memory behind the same address again, its contents undefined. A failure, as OUT_OF_MEMORY, leaves it evicted.
    qiao_status (*memory_restore)(void* device, void* allocation);
} qiao_plugin_memory_ops;

typedef struct qiao_plugin_program_ops {
    size_t struct_size;
    /// Required.
    qiao_status (*program_load)(void* device, const qiao_plugin_program_desc* desc, void** out_program);
    /// Required. None of its kernels is running or will be launched, or the device is lost.
    void (*program_unload)(void* device, void* program);
    /// Required. The kernel lives as long as its program and is shared by all threads and queues.
    qiao_status (*kernel_find)(void* program, const qiao_plugin_kernel_desc* desc, qiao_plugin_kernel* out_kernel);
    /// Required. In order on the device; may return before the work has ended. `bindings` is null unless resolved.
    qiao_status (*kernel_launch)(void* device, void* kernel, const qiao_plugin_geometry* geometry, const void* block,
                                 const qiao_plugin_binding* bindings);
    /// Optional; default: 1 for formats the device lists. 0 = cannot run it, with the reason as NUL-terminated text;
    /// higher is better. Must not load anything.
    qiao_status (*program_score)(void* device, const qiao_plugin_program_desc* desc, uint32_t* out_score, char* reason,
                                 size_t reason_size);
} qiao_plugin_program_ops;

/// F, 136 bytes. Slices of rows of `size_bytes` each; rows == 1 is a plain copy, which has one slice and pitches 0; slices == 1
/// has slice pitches 0. More than one slice comes only to a plugin with queue_can_copy.
typedef struct qiao_plugin_copy {
    qiao_plugin_place source, target;
    uint64_t size_bytes, rows, source_pitch, target_pitch;
    uint64_t value;
    uint64_t flags;
    void* source_device; /* the plugin's device; null = host memory */
    void* target_device;
    uint64_t slices, source_slice_pitch, target_slice_pitch;
} qiao_plugin_copy;

/// F, 72 bytes. The pattern's size is 1, 2, 4, 8 or 16 and divides size_bytes.
typedef struct qiao_plugin_fill {
    qiao_plugin_place target;
    uint64_t size_bytes;
    uint64_t value;
    uint64_t flags;
    uint8_t pattern[16];
    uint32_t pattern_size;
    uint32_t reserved0;
} qiao_plugin_fill;

#define QIAO_PLUGIN_PREFETCH_TO_HOST (UINT64_C(1) << 0) /* else to the queue's device */

/// F, 48 bytes. Memory of the queue's device that is going to be used.
typedef struct qiao_plugin_prefetch {
    qiao_plugin_place place;
    uint64_t size_bytes;
    uint64_t value;
    uint64_t flags;
} qiao_plugin_prefetch;

#define QIAO_PLUGIN_QUEUE_PROFILING (UINT64_C(1) << 0) /* queue_timestamps will be asked for every operation */

/// G.
typedef struct qiao_plugin_queue_desc {
    size_t struct_size;
    const void* next;
    uint64_t flags;
    uint64_t token;    /* for host->completed */
    uint32_t priority; /* 0 = normal, higher = sooner; below queue_priorities */
    uint32_t reserved0;
} qiao_plugin_queue_desc;

/// Optional as a whole; default: the core runs a worker over kernel_launch, memory_write and memory_read. If any of the
/// first six is present all must be. Operations run in order; each carries a value that rises.
typedef struct qiao_plugin_queue_ops {
    size_t struct_size;
    qiao_status (*queue_create)(void* device, const qiao_plugin_queue_desc* desc, void** out_queue);
    /// All its work has ended, or the device is lost. No host->completed of the queue runs or comes after it returned.
    void (*queue_destroy)(void* queue);
    /// `block` and `bindings` are read before it returns.
    qiao_status (*queue_launch)(void* queue, void* kernel, const qiao_plugin_geometry* geometry, const void* block,
                                const qiao_plugin_binding* bindings, uint64_t value);
    /// Return QIAO_ERROR_UNSUPPORTED before doing anything for a pair of places (or rows) the vendor cannot copy: the
    /// core then splits or stages it. Host memory stays valid until the value is reached.
    qiao_status (*queue_copy)(void* queue, const qiao_plugin_copy* copy);
    /// Submits what is batched and makes `value` (the last one submitted) observable by poll, wait and notify.
    qiao_status (*queue_mark)(void* queue, uint64_t value);
    /// The highest marked value reached. Concurrent with submission. A failure is the queue's failure, for good.
    qiao_status (*queue_poll)(void* queue, uint64_t* out_value);

    /// Optional; default: queue_notify, else queue_poll with pauses. Waits for the earliest mark at or above `value`, which
    /// is at most the last marked value. Ends by the time limit and by device loss. Concurrent with submission and itself.
    qiao_status (*queue_wait)(void* queue, uint64_t value, uint64_t timeout_ns);
    /// Optional; default: the core copies from a filled buffer.
    qiao_status (*queue_fill)(void* queue, const qiao_plugin_fill* fill);
    /// Optional; default: the core waits. Operations submitted later wait for the other queue's earliest mark at or above
    /// `other_value`. Itself an operation that carries `value`.
    qiao_status (*queue_after)(void* queue, void* other_queue, uint64_t other_value, uint64_t value);
    /// Optional; default: polling. Later, once: host->completed for the earliest mark at or above `value`, which is at most
    /// the last marked value. At once is allowed, from inside the slot too.
    qiao_status (*queue_notify)(void* queue, uint64_t value);
    /// Optional; default: the core's clock around the operation, marked as such. Device nanoseconds of a reached value.
    qiao_status (*queue_timestamps)(void* queue, uint64_t value, uint64_t* out_start_ns, uint64_t* out_end_ns);
    /// Optional; default: unsupported. The vendor's own queue. Concurrent with submission.
    qiao_status (*queue_native)(void* queue, qiao_native* out_native);
    /// Optional; default: unsupported. As queue_create, on a queue of the application's, which queue_destroy leaves to it; a
    /// counted handle is retained meanwhile. The application may use it too, in between the core's operations.
    qiao_status (*queue_wrap)(void* device, const qiao_plugin_queue_desc* desc, const qiao_native* native, void** out_queue);
    /// Optional; default: yes, but for several slices. Whether queue_copy takes the copy as a whole: QIAO_OK, or what it would
    /// answer, UNSUPPORTED. The same for each slice or row of a copy. Does nothing. Concurrent with submission.
    qiao_status (*queue_can_copy)(void* queue, const qiao_plugin_copy* copy);
    /// Optional; default: nothing is moved. An operation that carries a value. Return QIAO_ERROR_UNSUPPORTED before doing anything
    /// for memory that the vendor cannot move: then it is none.
    qiao_status (*queue_prefetch)(void* queue, const qiao_plugin_prefetch* prefetch);
} qiao_plugin_queue_ops;

/* ------------------------------------------------------------------------------------------------ links */

/// Something that hangs together with others. G. Ids are unique in the machine; what has an id that the system uses is the same thing:
/// "pci:0000:01:00.0" a function, "numa:0" a NUMA node, "package:0" a package. For its own things a plugin begins with its own id.
typedef struct qiao_plugin_vertex {
    size_t struct_size;
    const void* next;
    const char* id;   /* up to 128 bytes; null for a device of the plugin, whose id the core knows */
    const char* name; /* for people, up to 128 bytes; null = none */
    qiao_vertex_kind kind;
    uint32_t device;       /* of the plugin that it is; UINT32_MAX = none */
    uint32_t parent;       /* the vertex that contains it, as add_vertex numbered it; UINT32_MAX = none */
    uint32_t os_index;     /* number of the NUMA node or package; UINT32_MAX = it has none */
    uint64_t memory_bytes; /* QIAO_UNKNOWN */
    uint64_t flags;        /* QIAO_TOPOLOGY_MODELLED */
} qiao_plugin_vertex;

/// Where a plugin tells what it knows. G. Valid during the slot. Functions answer INVALID_ARGUMENT or OUT_OF_RANGE for what cannot be, and
/// leave it out; the topology then says so.
typedef struct qiao_plugin_link_sink {
    size_t struct_size;
    void* sink; /* first argument of each */
    qiao_status (*add_vertex)(void* sink, const qiao_plugin_vertex* vertex, uint32_t* out_vertex);
    /// What many links have in common: they name it by its number. Claims' `provider` is 0. At most 64 claims.
    qiao_status (*add_class)(void* sink, qiao_link_kind kind, uint64_t flags, const qiao_link_claim* claims, uint32_t claim_count,
                             uint32_t* out_class);
    /// A directed link; it may be there only once.
    qiao_status (*add_link)(void* sink, uint32_t source, uint32_t target, uint32_t link_class);
} qiao_plugin_link_sink;

typedef struct qiao_plugin_link_ops {
    size_t struct_size;
    /// Optional; default: what the system says of PCI, NUMA nodes and the like is all. Tells how the plugin's cards are linked with each
    /// other, the host and networks, as it is now. May be called at any time, from any thread, by several instances; opens no device.
    qiao_status (*link_describe)(void* plugin, const qiao_plugin_link_sink* sink);
} qiao_plugin_link_ops;

/// F, 16 bytes. A table of the vendor's own functions, for applications that know it: hal/docs/extensions.md.
typedef struct qiao_plugin_extension {
    const char* name;  /* "vendor.noun.N", N the version; up to 64 of [a-z0-9_] and the two dots */
    const void* table; /* begins with its size_t struct_size; functions take the plugin's device first; lives as the plugin */
} qiao_plugin_extension;

/// Growing: a missing table means that all its slots are missing.
typedef struct qiao_plugin_tables {
    size_t struct_size;
    const qiao_plugin_device_ops* device;
    const qiao_plugin_memory_ops* memory;
    const qiao_plugin_program_ops* program;
    const qiao_plugin_queue_ops* queue;
    const qiao_plugin_extension* extensions; /* ends with a null name; null = none */
    const qiao_plugin_link_ops* link;
} qiao_plugin_tables;

/* ------------------------------------------------------------------------------------------------ handshake */

/// G; the first 24 bytes are frozen for every major.
typedef struct qiao_plugin_info {
    size_t struct_size; /* in: the room the core gives */
    uint32_t abi_major, abi_minor; /* out: what the plugin was built against */
    uint32_t abi_minor_least;      /* out: the least host minor it can live with */
    uint32_t reserved0;
    uint64_t roles;
    const char* id;      /* [a-z0-9_-], the first part of device ids: "mock" in "mock:0" */
    const char* version;
    const char* build;   /* free text: compiler, commit, vendor SDK */
    const char* refusal; /* with a status other than QIAO_OK: why */
    const char* remedy;  /* with a refusal: what to do */
    void* plugin;        /* first argument of device_count and device_query */
    const qiao_plugin_tables* tables;
    void (*plugin_close)(void* plugin); /* optional; every device is closed */
} qiao_plugin_info;

/// The one exported symbol. Touches no hardware; may refuse. Called once per instance.
QIAO_EXPORT qiao_status qiao_plugin_query(const qiao_host_api* host, qiao_plugin_info* out_info);
typedef qiao_status (*qiao_plugin_query_function)(const qiao_host_api* host, qiao_plugin_info* out_info);

#ifdef __cplusplus
}
#endif
#endif
