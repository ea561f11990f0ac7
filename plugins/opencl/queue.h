// Queues: an in-order command queue, its clones of kernels, and the native events behind its values.
#pragma once

#include "device.h"
#include "marks.h"

namespace qiao::opencl {

struct NotifyLink;

struct Queue {
    Queue(const Symbols& cl, uint32_t capacity, bool profiles) : marks(cl, capacity, profiles), profiling(profiles) {}

    Marks marks;
    Launcher launcher;
    cl_event pending = nullptr; // the last operation's event, not marked yet
    uint64_t marked = 0;        // the last value in `marks`
    const bool profiling;
    NotifyLink* link = nullptr;
};

// A queue over a command queue, of which it takes one reference, also when it fails.
qiao_status make_queue(Device& device, cl_command_queue native, const qiao_plugin_queue_desc& desc, void** out_queue);

// Waits until all command queues of the device are empty.
qiao_status synchronize(Device& device, uint64_t timeout_ns);

} // namespace qiao::opencl
