/* Queues: work for a device, in order. Concurrency is several queues. Every operation returns at once with the value that
 * the queue's timeline will have when it has ended. An operation that fails fails its queue: later ones never run, and
 * waits return its status. All operations may be submitted from several threads. */
#ifndef QIAO_QUEUE_H
#define QIAO_QUEUE_H

#include "qiao/memory.h"
#include "qiao/program.h"
#include "qiao/timeline.h"

typedef struct qiao_queue qiao_queue;

#define QIAO_QUEUE_PROFILING (UINT64_C(1) << 0) /* keep timestamps of operations; costs time */

typedef struct qiao_queue_desc {
    size_t struct_size;
    const void* next; /* no extension is defined yet: null */
    uint64_t flags;
    uint32_t priority; /* 0 = normal, higher = sooner; below the device's queue_priorities */
    uint32_t reserved0;
} qiao_queue_desc;
#define QIAO_QUEUE_DESC_INIT {sizeof(qiao_queue_desc), NULL, 0u, 0u, 0u}

/// `desc` may be null.
QIAO_API qiao_status qiao_queue_create(qiao_device* device, const qiao_queue_desc* desc, qiao_queue** out_queue);
QIAO_API qiao_status qiao_queue_retain(qiao_queue* queue);
/// Never waits: submitted work runs to its end. Null is ignored.
QIAO_API qiao_status qiao_queue_release(qiao_queue* queue);
/// The queue's timeline (borrowed; retain it to keep it longer than the queue).
QIAO_API qiao_status qiao_queue_get_timeline(qiao_queue* queue, qiao_timeline** out_timeline);

/// Shape of a launch, in work-items. 80 bytes, frozen. Unused dimensions are 1 (0 is taken as 1 above `dimensions`).
typedef struct qiao_launch {
    uint64_t global_size[3];
    uint64_t group_size[3]; /* all zero: the core chooses */
    uint64_t global_offset[3];
    uint32_t dimensions; /* 1 to 3 */
    uint32_t flags;      /* none defined yet: 0 */
} qiao_launch;
#define QIAO_LAUNCH_INIT {{1u, 1u, 1u}, {0u, 0u, 0u}, {0u, 0u, 0u}, 1u, 0u}

/// Runs a kernel. `arguments` is the packed block that the kernel's reflection describes, `argument_bytes` its exact
/// size; it is copied, and can be built once and used again. `out_value` may be null. Fails, and submits nothing, with
/// OUT_OF_RANGE for a size that the kernel or device does not allow, INVALID_ARGUMENT for a wrong block size or a group
/// that does not divide the global size. Steady state: no allocation, no system call, no lock but the queue's own.
QIAO_API qiao_status qiao_queue_launch(qiao_queue* queue, qiao_kernel* kernel, const qiao_launch* launch,
                                       const void* arguments, size_t argument_bytes, uint64_t* out_value);

/// A byte somewhere: a device and its address, or (null) a host pointer as an integer. Frozen.
typedef struct qiao_place {
    qiao_device* device;
    uint64_t address;
} qiao_place;

/// Slices of rows of `size_bytes`; `rows` and `slices` 0 are taken as 1. 96 bytes, frozen.
typedef struct qiao_copy {
    qiao_place source;
    qiao_place target;
    uint64_t size_bytes;
    uint64_t rows;
    uint64_t source_pitch; /* bytes from row to row, at least size_bytes if rows > 1 */
    uint64_t target_pitch;
    uint64_t flags; /* none defined yet: 0 */
    uint64_t slices;
    uint64_t source_slice_pitch; /* bytes from slice to slice, if slices > 1 at least up to the end of a slice's last row */
    uint64_t target_slice_pitch;
} qiao_copy;
#define QIAO_COPY_INIT {{NULL, 0u}, {NULL, 0u}, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u}

/// Copies between any two places, also of two vendors' devices. Host memory must stay valid until the value is reached.
/// OUT_OF_RANGE if a range leaves its allocation. No byte may be in source and target: boxes of equal pitches may lie
/// between each other, as columns of a matrix do; others overlap where the ranges from first to last byte do.
QIAO_API qiao_status qiao_queue_copy(qiao_queue* queue, const qiao_copy* copy, uint64_t* out_value);

/// By whom the bytes of a copy are moved.
typedef uint32_t qiao_copy_path;
#define QIAO_COPY_PATH_DIRECT 1u /* the queue of the device, within it or with the host */
#define QIAO_COPY_PATH_PEER 2u   /* the queue of one device, to or from another device of its plugin */
#define QIAO_COPY_PATH_MAPPED 3u /* a blocking read or write of one device, in place in bytes of the other side that the host reaches */
#define QIAO_COPY_PATH_STAGED 4u /* read from one device into host memory in chunks, each written to the other meanwhile */
#define QIAO_COPY_PATH_HOST 5u   /* the host's processor; both sides are host memory */

/// What a copy will do.
typedef struct qiao_copy_plan {
    size_t struct_size;
    const void* next;
    qiao_copy_path path;
    uint32_t reserved0;
    uint64_t total_bytes;
    uint64_t chunk_bytes; /* of a staged copy: how much is on its way at once; measured where large copies of the pair have been made */
    uint64_t operations;  /* calls that the plugins are given, in the first place */
} qiao_copy_plan;
#define QIAO_COPY_PLAN_INIT {sizeof(qiao_copy_plan), NULL, 0u, 0u, 0u, 0u, 0u}

/// Checks the copy as qiao_queue_copy does, and says what it would do if it were given now; submits nothing. A plugin that
/// refuses what it did not say it would (it has no slot queue_can_copy) changes the report.
QIAO_API qiao_status qiao_queue_query_copy(qiao_queue* queue, const qiao_copy* copy, qiao_copy_plan* out_plan);

/// What a copy has done.
typedef struct qiao_copy_report {
    size_t struct_size;
    const void* next;
    qiao_copy_path path;
    qiao_status status;   /* QIAO_OK, or why it failed; CANCELLED if it was never begun */
    uint64_t total_bytes;
    uint64_t done_bytes;  /* that have arrived, from the first row on; of a failed copy others may have, if a queue made it */
    uint64_t chunk_bytes; /* of a staged copy: the largest */
    uint64_t operations;
} qiao_copy_report;
#define QIAO_COPY_REPORT_INIT {sizeof(qiao_copy_report), NULL, 0u, 0, 0u, 0u, 0u, 0u}

/// The report of the copy that carries `value`, also of one that failed. NOT_READY before it has ended; NOT_FOUND if the value
/// is no copy's, or so old that it has been forgotten (the last 256 copies of a queue are kept).
QIAO_API qiao_status qiao_queue_query_copy_report(qiao_queue* queue, uint64_t value, qiao_copy_report* out_report);

/// Fills `size_bytes` with a pattern of 1, 2, 4, 8 or 16 bytes that divides it.
QIAO_API qiao_status qiao_queue_fill(qiao_queue* queue, qiao_place target, uint64_t size_bytes, const void* pattern,
                                     uint32_t pattern_bytes, uint64_t* out_value);

/// Moves memory of the queue's device to where it is used next: to the device (`target`), so that the launch behind it moves nothing,
/// or to the host (null) once what is before it in the queue has ended, so that the wait behind it finds the results there. The rule
/// for the host is that of a launch which reaches the range. Always right, and does nothing, for memory of which nothing is moved;
/// it has a value all the same, which may be that of the operation before. OUT_OF_MEMORY if the device has no room for it now.
QIAO_API qiao_status qiao_queue_prefetch(qiao_queue* queue, qiao_place place, uint64_t size_bytes, qiao_device* target, uint64_t* out_value);

/// Later operations of the queue start when the timeline has reached the value, also one that is not submitted yet.
QIAO_API qiao_status qiao_queue_after(qiao_queue* queue, qiao_timeline* timeline, uint64_t value, uint64_t* out_value);
/// Raises a timeline made by qiao_timeline_create when everything before has ended.
QIAO_API qiao_status qiao_queue_signal(qiao_queue* queue, qiao_timeline* timeline, uint64_t value, uint64_t* out_value);

/// `status` is QIAO_OK or the status with which the queue failed. May submit work, must not wait for its own queue.
typedef void (*qiao_queue_callback)(void* user, qiao_status status);
/// Calls the host when everything before has ended; later operations wait until it returns. It is called exactly once,
/// on a thread of Qiao, also when the queue fails.
QIAO_API qiao_status qiao_queue_call(qiao_queue* queue, qiao_queue_callback callback, void* user, uint64_t* out_value);

/// Start and end of a reached operation of a queue with QIAO_QUEUE_PROFILING, on the device's clock. NOT_READY before;
/// NOT_FOUND if it is so old that it has been forgotten (at least the last 256 are kept).
QIAO_API qiao_status qiao_queue_query_timestamps(qiao_queue* queue, uint64_t value, uint64_t* out_start_ns,
                                                 uint64_t* out_end_ns);

/// The vendor's own queue, borrowed: valid as long as the queue. What the application gives it directly runs in order with
/// what Qiao has handed over; work that waits for another timeline, a callback or a staged copy is handed over later.
/// UNSUPPORTED if the plugin gives none out.
QIAO_API qiao_status qiao_queue_get_native(qiao_queue* queue, qiao_native* out_native);
/// A queue over one that the application made with the vendor's functions, in the context of qiao_device_get_native;
/// `desc` as for qiao_queue_create. It stays the application's: the release of the queue does not end it.
QIAO_API qiao_status qiao_queue_wrap(qiao_device* device, const qiao_native* native, const qiao_queue_desc* desc,
                                     qiao_queue** out_queue);

#endif
