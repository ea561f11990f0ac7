// Queues: an in-order command queue, its clones of kernels, and the native events behind its values.
#pragma once

#include "device.h"
#include "marks.h"

namespace qiao::opencl {

struct NotifyLink;

struct Queue {
    Queue(const Symbols& cl, uint32_t capacity, bool profiles) : profiling(profiles), marks(cl, capacity, profiles) {}

    Launcher launcher;
    // Where the next operation's event goes: null unless the queue profiles, or its last operations were marked one by
    // one. An event that comes with the operation is cheaper than a marker after it, and dearer than none.
    cl_event* event_slot = nullptr;
    cl_event pending = nullptr; // the last operation's event, not marked yet
    uint64_t marked = 0;        // the last value in `marks`
    uint64_t flushed = 0;       // the last value that queue_mark has dealt with
    const bool profiling;
    NotifyLink* link = nullptr;
    Marks marks;
};

// Waits until all command queues of the device are empty.
qiao_status synchronize(Device& device, uint64_t timeout_ns);

} // namespace qiao::opencl
