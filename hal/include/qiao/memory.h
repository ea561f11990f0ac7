/* Memory: allocations on a device, their addresses, and blocking copies. Every allocation has one 64-bit device address;
 * adding to it at element granularity is always legal, and is what kernels and copies take. An address has meaning only
 * together with its device. For copies that do not block see queue.h. */
#ifndef QIAO_MEMORY_H
#define QIAO_MEMORY_H

#include "qiao/device.h"

typedef struct qiao_memory qiao_memory;

/* Of shared memory: what the device has written comes to the host by qiao_memory_fetch only, and not with each wait. */
#define QIAO_MEMORY_FETCH_EXPLICIT (UINT64_C(1) << 0)
/* Will be exported (share.h): host memory, or device memory where the driver hands it over (`export_types` of the device). */
#define QIAO_MEMORY_SHAREABLE (UINT64_C(1) << 1)

typedef struct qiao_memory_desc {
    size_t struct_size;
    const void* next;    /* no extension is defined yet: null */
    uint64_t size_bytes; /* above 0, at most the device's max_allocation_bytes */
    uint64_t alignment;  /* of the device address: a power of two up to 2 MiB; 0 = 128 */
    qiao_memory_kind kind; /* 0 = QIAO_MEMORY_KIND_DEVICE */
    uint32_t reserved0;
    uint64_t flags;
} qiao_memory_desc;
#define QIAO_MEMORY_DESC_INIT {sizeof(qiao_memory_desc), NULL, 0u, 0u, QIAO_MEMORY_KIND_DEVICE, 0u, 0u}

/// Allocates memory; its contents are undefined. Fails with OUT_OF_MEMORY, UNSUPPORTED for a kind the device has not,
/// OUT_OF_RANGE for a size of 0 or above the limit.
QIAO_API qiao_status qiao_memory_allocate(qiao_device* device, const qiao_memory_desc* desc, qiao_memory** out_memory);
QIAO_API qiao_status qiao_memory_retain(qiao_memory* memory);
/// Never waits: memory that queued work may still use is freed when that work has ended. Null is ignored.
QIAO_API qiao_status qiao_memory_release(qiao_memory* memory);

/// The device address of the first byte.
QIAO_API qiao_status qiao_memory_get_address(qiao_memory* memory, uint64_t* out_address);

typedef struct qiao_memory_properties {
    size_t struct_size;
    const void* next;
    qiao_device* device;
    uint64_t address;
    uint64_t size_bytes;
    void* host_pointer; /* null = reach it by map or copies */
    qiao_memory_kind kind;
    uint32_t reserved0;
} qiao_memory_properties;
#define QIAO_MEMORY_PROPERTIES_INIT {sizeof(qiao_memory_properties), NULL, NULL, 0u, 0u, NULL, 0u, 0u}

QIAO_API qiao_status qiao_memory_query(qiao_memory* memory, qiao_memory_properties* out_properties);
/// The allocation of `device` that contains the address (borrowed), and the offset in it. NOT_FOUND if there is none.
QIAO_API qiao_status qiao_memory_find(qiao_device* device, uint64_t address, qiao_memory** out_memory, uint64_t* out_offset);

/// A pointer through which the host may read and write [offset, offset + size) until it is unmapped; `access` is a set of
/// qiao_access bits. No queued work may use that range meanwhile. A host copy where the device's memory is out of reach:
/// then writes arrive at unmap. Each map needs its own unmap.
QIAO_API qiao_status qiao_memory_map(qiao_memory* memory, uint64_t offset, uint64_t size_bytes, qiao_access access,
                                     void** out_pointer);
QIAO_API qiao_status qiao_memory_unmap(qiao_memory* memory, void* pointer);

/// Copy between host memory and an allocation; return when done. They do not wait for queues: wait for the work that uses
/// the bytes first. OUT_OF_RANGE if offset + size leaves the allocation. A size of 0 does nothing.
QIAO_API qiao_status qiao_memory_write(qiao_memory* memory, uint64_t offset, const void* source, uint64_t size_bytes);
QIAO_API qiao_status qiao_memory_read(qiao_memory* memory, uint64_t offset, void* target, uint64_t size_bytes);

/// The vendor's own object of the allocation, borrowed: valid as long as the memory. UNSUPPORTED if the plugin gives none out.
QIAO_API qiao_status qiao_memory_get_native(qiao_memory* memory, qiao_native* out_native);
/// Makes memory of the vendor's that the application owns usable here; `desc` says size and kind as for an allocation. It
/// stays the application's: qiao_memory_release does not free it. A counted handle may be released at once; other memory
/// must stay until the release and all work that uses it are over. OUT_OF_RANGE if it overlaps an allocation.
QIAO_API qiao_status qiao_memory_wrap(qiao_device* device, const qiao_native* native, const qiao_memory_desc* desc,
                                      qiao_memory** out_memory);

/* Shared memory: the host reads and writes it at its host pointer, work of the device at its address. On a device that has
 * none (QIAO_DEVICE_SHARED_EMULATED) both have bytes of their own, and the library moves what changed. Before a launch or
 * copy that reaches the memory: what the host has written. Before a wait returns that covers work which writes it: what the
 * device has written. From the submission until then the host must neither write memory that the work reaches nor read
 * memory that it writes. Pointers inside the data are not followed. hal/docs/shared_memory.md has the rules in full. */

/// How it is known what the host has written.
typedef uint32_t qiao_tracking;
#define QIAO_TRACKING_NONE 0u    /* not needed: nothing is moved */
#define QIAO_TRACKING_SCAN 1u    /* the operating system reports pages */
#define QIAO_TRACKING_COMPARE 2u /* with a copy of what the device has */
#define QIAO_TRACKING_FULL 3u    /* not at all: everything is moved each time */

/// What was moved of one allocation since it was made.
typedef struct qiao_memory_traffic {
    size_t struct_size;
    const void* next;
    uint64_t to_device_bytes;
    uint64_t to_host_bytes;
    uint64_t to_device_count; /* launches and copies before which something was moved */
    uint64_t to_host_count;   /* waits and fetches that moved something */
    uint64_t conflict_bytes;  /* written by the host while it must not: kept as the host wrote them */
    qiao_tracking tracking;
    uint32_t reserved0;
    uint64_t prefetched_to_device_bytes; /* of to_device_bytes: moved by qiao_queue_prefetch */
    uint64_t prefetched_to_host_bytes;   /* the same of to_host_bytes */
    uint64_t resident_bytes;             /* that the device's memory holds now: all or nothing of an allocation */
    uint64_t eviction_count;             /* how often it made room for other memory */
    uint64_t restore_count;              /* how often it came back */
} qiao_memory_traffic;
#define QIAO_MEMORY_TRAFFIC_INIT {sizeof(qiao_memory_traffic), NULL, 0u, 0u, 0u, 0u, 0u, QIAO_TRACKING_NONE, 0u, 0u, 0u, 0u, 0u, 0u}

/// All zero for memory of which nothing is moved. Thread-safe.
QIAO_API qiao_status qiao_memory_query_traffic(qiao_memory* memory, qiao_memory_traffic* out_traffic);
/// The sums over all shared memory that was made on the device, also what has been released. Thread-safe.
QIAO_API qiao_status qiao_device_query_traffic(qiao_device* device, qiao_memory_traffic* out_traffic);

/// Brings what the device has written in the range to the host, and returns when it is there. Waits for no queue: NOT_READY, and
/// nothing is moved, while work that writes the memory has not ended. Needed with QIAO_MEMORY_FETCH_EXPLICIT only; does nothing where nothing is moved.
QIAO_API qiao_status qiao_memory_fetch(qiao_memory* memory, uint64_t offset, uint64_t size_bytes);

/// What a program knows of the use of its shared memory. Advice changes what is moved when, never a result, unless what it says is
/// not so. hal/docs/shared_memory.md has what each does.
typedef uint32_t qiao_memory_advice;
/// No kernel writes the range, whatever the kernels' reflection says: launches bring nothing of it back. Copies and fills into it do.
#define QIAO_MEMORY_ADVICE_READ_MOSTLY 1u
#define QIAO_MEMORY_ADVICE_NOT_READ_MOSTLY 2u
/// The allocation leaves the device's memory last, or first, where room is needed for other memory.
#define QIAO_MEMORY_ADVICE_PREFERRED_DEVICE 3u
#define QIAO_MEMORY_ADVICE_PREFERRED_HOST 4u
#define QIAO_MEMORY_ADVICE_NO_PREFERENCE 5u

/// Holds for operations that are submitted later. Does nothing for memory of which nothing is moved. OUT_OF_RANGE if the range
/// leaves the allocation; advice on where it is preferred is for an allocation as a whole, so the range must be all of it.
QIAO_API qiao_status qiao_memory_advise(qiao_memory* memory, uint64_t offset, uint64_t size_bytes, qiao_memory_advice advice);

#endif
