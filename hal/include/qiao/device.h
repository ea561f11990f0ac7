/* Devices: what they are, what they can do, whether they are well. Devices belong to the instance (borrowed, never
 * released) and are opened by the first call that makes something on them. */
#ifndef QIAO_DEVICE_H
#define QIAO_DEVICE_H

#include "qiao/instance.h"

typedef struct qiao_device qiao_device;

/// Lists the visible devices, in the order of the ledger. `*out_count` is always the number there are; at most `capacity`
/// are written. `out_devices` may be null if `capacity` is 0.
QIAO_API qiao_status qiao_instance_enumerate_devices(qiao_instance* instance, uint32_t capacity, qiao_device** out_devices,
                                                     uint32_t* out_count);
/// The first device that matches: an id ("mock:0"), a glob over ids ("opencl:*"), or a plugin's id ("mock").
/// Fails with NOT_FOUND; the message lists the ids that exist.
QIAO_API qiao_status qiao_instance_find_device(qiao_instance* instance, const char* selector, qiao_device** out_device);

#define QIAO_DEVICE_SIMULATED (UINT64_C(1) << 0) /* no hardware behind it; `note` says what is modelled */
#define QIAO_DEVICE_UNIFIED (UINT64_C(1) << 1)   /* shares physical memory with the host */
#define QIAO_DEVICE_ADDRESSES_EMULATED (UINT64_C(1) << 2) /* it has none: the library makes them (hal/docs/addresses.md) */
#define QIAO_DEVICE_SHARED_EMULATED (UINT64_C(1) << 3) /* it has no shared memory: the library moves bytes (hal/docs/shared_memory.md) */

/// What the plugin said of the device; 0 or "" = unknown. Strings live as long as the instance and are never null.
typedef struct qiao_device_properties {
    size_t struct_size;
    const void* next;
    const char* id; /* "mock:0": the plugin's id and index */
    const char* plugin;
    const char* name;
    const char* vendor;
    const char* driver;
    const char* target;  /* the architecture that programs are built for */
    const char* formats; /* of programs it takes, best first, ';' between */
    const char* note;
    uint64_t flags;
    qiao_features features;
    uint64_t memory_bytes;
    uint64_t max_allocation_bytes;
    uint8_t uuid[16];
    uint32_t pci_domain, pci_bus, pci_device, pci_function;
    uint32_t pci_vendor_id, pci_device_id; /* 0 = not on PCI */
    uint32_t memory_kinds;                 /* bit (1 << kind) for each kind that can be allocated */
    uint32_t compute_units;
    uint32_t max_group_size; /* work-items; the product of the three */
    uint32_t max_group[3];
    uint32_t max_group_count[3];
    uint32_t local_memory_bytes; /* per work-group */
    uint32_t subgroup_width;
    uint32_t preferred_group_multiple;
    uint32_t max_argument_bytes;
    uint32_t queue_priorities;
    uint32_t clock_mhz;
    uint32_t address_bits;
    uint64_t generation; /* resets so far: what was made before the last one is lost */
    uint32_t import_types; /* bit (1 << qiao_share_type) for each that can be imported */
    uint32_t export_types; /* the same for memory of it that is allocated as QIAO_MEMORY_SHAREABLE */
    uint64_t import_alignment; /* bytes, of host memory that is imported; 0 = it imports none */
    uint8_t driver_uuid[16];   /* equal for drivers that understand each other's descriptors */
} qiao_device_properties;
#define QIAO_DEVICE_PROPERTIES_INIT                                                                                  \
    {sizeof(qiao_device_properties), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0u, 0u, 0u, 0u,           \
     {0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u}, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u,           \
     {0u, 0u, 0u}, {0u, 0u, 0u}, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u,                                        \
     {0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u}}

/// Fills the caller's struct. Costs a copy; for one number on a hot path see qiao_device_get_limit.
QIAO_API qiao_status qiao_device_query_properties(qiao_device* device, qiao_device_properties* out_properties);

typedef uint32_t qiao_device_limit;
#define QIAO_DEVICE_LIMIT_MEMORY_BYTES 0u
#define QIAO_DEVICE_LIMIT_MAX_ALLOCATION_BYTES 1u
#define QIAO_DEVICE_LIMIT_MAX_GROUP_SIZE 2u
#define QIAO_DEVICE_LIMIT_LOCAL_MEMORY_BYTES 3u
#define QIAO_DEVICE_LIMIT_COMPUTE_UNITS 4u
#define QIAO_DEVICE_LIMIT_SUBGROUP_WIDTH 5u
#define QIAO_DEVICE_LIMIT_PREFERRED_GROUP_MULTIPLE 6u
#define QIAO_DEVICE_LIMIT_MAX_ARGUMENT_BYTES 7u
#define QIAO_DEVICE_LIMIT_FEATURES 8u

/// One number of the properties, in a nanosecond or two.
QIAO_API qiao_status qiao_device_get_limit(qiao_device* device, qiao_device_limit limit, uint64_t* out_value);

typedef uint32_t qiao_device_state;
#define QIAO_DEVICE_STATE_OK 0u
#define QIAO_DEVICE_STATE_LOST 1u
#define QIAO_DEVICE_STATE_REMOVED 2u /* lost, and no longer there: it cannot be reset */

/// Whether the device is well. `*out_reason` (may be null) lives until the next reset; "" when well. Never waits for a call
/// that hangs in the plugin.
QIAO_API qiao_status qiao_device_query_state(qiao_device* device, qiao_device_state* out_state, const char** out_reason);
/// Free and total bytes now, as the plugin reports them, else the core's own count.
QIAO_API qiao_status qiao_device_query_memory(qiao_device* device, uint64_t* out_free_bytes, uint64_t* out_total_bytes);
/// One moment on the device's clock (that of queue timestamps) and on the host's CLOCK_MONOTONIC.
QIAO_API qiao_status qiao_device_query_clock(qiao_device* device, uint64_t* out_device_ns, uint64_t* out_host_ns);
/// Waits until all work submitted to all queues of the device before the call has ended. TIMEOUT if it has not.
QIAO_API qiao_status qiao_device_synchronize(qiao_device* device, uint64_t timeout_ns);
/// Starts the device anew, also a lost one. Everything made on it before fails with DEVICE_LOST from then on and can only
/// be released; waits end at once. This is also the way out of work that never ends. UNSUPPORTED if the plugin has no
/// reset, DEVICE_LOST if the device was removed, or if a call into the plugin has not returned.
QIAO_API qiao_status qiao_device_reset(qiao_device* device);

/// The vendor's own device and what goes with it, borrowed: valid as long as the instance, never to be released by the
/// caller. UNSUPPORTED if the plugin gives none out. hal/docs/native.md has the rules.
QIAO_API qiao_status qiao_device_get_native(qiao_device* device, qiao_native* out_native);

typedef uint32_t qiao_provenance;
#define QIAO_PROVENANCE_ABSENT 0u   /* answers UNSUPPORTED */
#define QIAO_PROVENANCE_NATIVE 1u   /* the plugin's own function */
#define QIAO_PROVENANCE_EMULATED 2u /* made by the core from other functions */

/// What memory of one kind is on a device.
typedef struct qiao_memory_kind_properties {
    size_t struct_size;
    const void* next;
    qiao_memory_kind kind;
    qiao_memory_level level;    /* of every allocation of this kind but wrapped ones, which are as their maker made them */
    qiao_provenance provenance; /* who makes memory of this kind: the plugin, or the core (emulated) */
    uint32_t reserved0;
} qiao_memory_kind_properties;
#define QIAO_MEMORY_KIND_PROPERTIES_INIT {sizeof(qiao_memory_kind_properties), NULL, 0u, QIAO_MEMORY_LEVEL_COPY, QIAO_PROVENANCE_ABSENT, 0u}

/// Fills the caller's struct. Does not open the device. UNSUPPORTED for a kind the device has not, INVALID_ARGUMENT for one that there is not.
QIAO_API qiao_status qiao_device_query_memory_kind(qiao_device* device, qiao_memory_kind kind, qiao_memory_kind_properties* out_properties);

/// Name and provenance of slot `index` of the plugin ABI for this device. NOT_FOUND at the end of the list.
QIAO_API qiao_status qiao_device_query_slot(qiao_device* device, uint32_t index, const char** out_name,
                                            qiao_provenance* out_provenance);

/// Name of extension `index` of the device: a table of the vendor's own functions. NOT_FOUND at the end of the list. The
/// name lives as long as the instance.
QIAO_API qiao_status qiao_device_query_extension(qiao_device* device, uint32_t index, const char** out_name);
/// The table of an extension by its full name, "vendor.noun.N", and the plugin's own device, which its functions take as
/// first argument; both are valid as long as the instance. What type the table has is the vendor's to say
/// (hal/docs/extensions.md). NOT_FOUND, with the names there are, if the device has no such extension. The functions are
/// the vendor's: the library neither checks nor orders what they do.
QIAO_API qiao_status qiao_device_get_extension(qiao_device* device, const char* name, const void** out_table, void** out_context);

#endif
