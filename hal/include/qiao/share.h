/* Sharing: host memory used where it lies, and memory and timelines handed to other devices and other processes. What is handed
 * over is a handle of plain bytes and one file descriptor. Carrying both to the other process is the application's business:
 * bytes by any way, the descriptor by SCM_RIGHTS of a Unix socket.
 *
 *   one process                                      another process, any device of any plugin
 *   qiao_memory_allocate (QIAO_MEMORY_SHAREABLE)
 *   qiao_memory_export    ---- handle, descriptor -->   qiao_memory_import
 *   qiao_timeline_create_shareable
 *   qiao_timeline_export  ---- handle, descriptor -->   qiao_timeline_import
 *   qiao_queue_signal ........ no call between ........ qiao_queue_after, qiao_timeline_wait
 *
 * Nothing that comes from another process is trusted: a handle or a descriptor that is not what it should be is refused. But
 * what is shared can be written by all who have it. hal/docs/sharing.md says what each device can. */
#ifndef QIAO_SHARE_H
#define QIAO_SHARE_H

#include "qiao/memory.h"
#include "qiao/timeline.h"

/// What is handed over beside the descriptor. 128 bytes, frozen; numbers are the machine's own, which it does not leave.
typedef struct qiao_share_handle {
    uint64_t magic;
    uint32_t version;
    qiao_share_type type;
    uint64_t size_bytes;     /* of the memory; 0 for a timeline */
    uint8_t device_uuid[16]; /* OPAQUE_FD: of the device and driver that made the descriptor, and only they take it */
    uint8_t driver_uuid[16];
    uint64_t driver_data[4]; /* the driver's */
    uint64_t reserved[5];
} qiao_share_handle;

/// Host memory of the application becomes memory of the device, of kind HOST: the same bytes at the same host pointer, nothing
/// is copied. `pointer` is aligned to the device's `import_alignment`; where that is more than a page, so is the size. It stays the
/// application's, and mapped until the release and all work that uses it are over. `flags` is 0. UNSUPPORTED if the device cannot
/// reach host memory; OUT_OF_RANGE if it overlaps memory of the device.
QIAO_API qiao_status qiao_memory_import_host(qiao_device* device, void* pointer, uint64_t size_bytes, uint64_t flags,
                                             qiao_memory** out_memory);

/// A handle of memory that was allocated with QIAO_MEMORY_SHAREABLE, or imported from a file, and a new descriptor (closed on
/// exec), which the caller closes. `type` 0 = the one it has, else one of the device's export_types. Any number of times; the
/// memory lives as long as anybody has it, whatever becomes of this process.
QIAO_API qiao_status qiao_memory_export(qiao_memory* memory, qiao_share_type type, qiao_share_handle* out_handle,
                                        int32_t* out_descriptor);
/// Memory of another device or process becomes memory of this one: of kind HOST for a file, DEVICE for a driver's descriptor.
/// The descriptor stays the caller's and may be closed at once. `flags` is 0. Within an instance a file is mapped once: all its
/// devices have the same host pointer. INVALID_ARGUMENT for a handle or descriptor that is damaged, resizable, of another
/// size or of another kind; UNSUPPORTED for a type that the device does not import, or another driver's descriptor.
QIAO_API qiao_status qiao_memory_import(qiao_device* device, const qiao_share_handle* handle, int32_t descriptor, uint64_t flags,
                                        qiao_memory** out_memory);

/// A timeline that can be exported. All processes that have it may raise it, wait for it and have their queues do so. It fails in
/// all of them, with CANCELLED, when a process ends that has not released it, or work fails that would have raised it: then
/// nobody waits for ever for a value that may never come. Values that were reached stay reached.
QIAO_API qiao_status qiao_timeline_create_shareable(qiao_instance* instance, uint64_t initial_value, qiao_timeline** out_timeline);
/// As qiao_memory_export.
QIAO_API qiao_status qiao_timeline_export(qiao_timeline* timeline, qiao_share_handle* out_handle, int32_t* out_descriptor);
/// As qiao_memory_import. At most 64 instances have a timeline at once: OUT_OF_RANGE.
QIAO_API qiao_status qiao_timeline_import(qiao_instance* instance, const qiao_share_handle* handle, int32_t descriptor,
                                          qiao_timeline** out_timeline);

#endif
