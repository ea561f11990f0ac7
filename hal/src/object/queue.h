// A queue's state. The first lines are what a launch touches, all guarded by the queue's lock; direct operations are in
// dispatch/submit.h, deferred ones in emulation/deferred.h.
#pragma once

#include <memory>

#include "object/device.h"
#include "object/timeline.h"
#include "qiao/queue.h"

namespace qiao {

class CopyReports;
class DeferredQueue;

// How many operations may follow a mark before the next one is made.
inline constexpr uint64_t kMarkInterval = 32;

// The shape of a kernel's last launch on this queue: while it repeats, the geometry is used as it stands.
struct alignas(64) LaunchShape {
    qiao_launch launch{};
    uint64_t kernel_serial = 0;  // 0 = none; a kernel with local arguments adds kWithLocalCounts, and never looks equal
    qiao_plugin_geometry geometry{};
    uint32_t local_counts[16] = {};  // a kernel with more gets a new geometry each time
};
static_assert(sizeof(LaunchShape) == 256, "indexed on every launch");
inline constexpr uint64_t kWithLocalCounts = UINT64_C(1) << 63;
inline constexpr size_t kLaunchShapes = 8;  // kernels used in turn on one queue, each with its shape

// Stands for a device where none of a kernel's may be equal.
inline qiao_device* looks_for_shared() {
    return reinterpret_cast<qiao_device*>(uintptr_t{1});
}

struct alignas(64) Queue {
    // The device, or looks_for_shared() while a launch has to look for emulated shared memory among its arguments.
    std::atomic<qiao_device*> launch_device;
    Lock* lock = nullptr;                 // its own, or the device's where slots are serialised
    decltype(qiao_plugin_queue_ops::queue_launch) launch_slot = nullptr;
    void* plugin_queue = nullptr;         // null: the core's worker runs it
    std::atomic<uint64_t> last_value{0};  // given out; may be read without the lock
    uint64_t submitted_value = 0;         // known to the plugin, or ended
    uint64_t marked_value = 0;            // the plugin will tell when it is reached
    uint64_t attention_value = 0;         // when submitted_value gets here a mark or a wake-up is due
    uint32_t deferred_count = 0;          // operations that the worker has not passed on yet; never 0 without plugin_queue
                                          // or when timed_by_core
    bool unsubmitted_waiter = false;      // somebody is parked until submitted_value rises
    uint64_t next_generation = 0;         // of a geometry; no two queues share one
    LaunchShape shapes[kLaunchShapes];    // by kernel serial

    qiao_device* const device;
    qiao_queue* self = nullptr;
    qiao_timeline* timeline = nullptr;
    uint64_t mark_interval = kMarkInterval;
    uint64_t notified_value = 0;          // queue_notify was asked up to here
    uint64_t flags = 0;
    uint64_t losses = 0;                  // of the device before the queue was made: one more, and the queue is lost
    bool timed_by_core = false;           // timestamps are wanted, and the plugin's queue has none
    Lock own_lock;
    std::unique_ptr<DeferredQueue> deferred;
    std::unique_ptr<CopyReports> copies;  // made with the first copy

    explicit Queue(qiao_device* device);
    ~Queue();
};

}  // namespace qiao

struct alignas(64) qiao_queue {
    static constexpr uint64_t kTag = qiao::kTagQueue;
    qiao::Header header;
    union {
        qiao::Queue body;
    };
    qiao_queue() {}
    ~qiao_queue() {}
};
