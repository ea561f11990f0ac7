// Queues: a stream, and the marks behind its values.
#pragma once

#include "marks.h"

namespace qiao::cuda {

struct Queue {
    Queue(Device& owner, uint32_t capacity, bool profiles);

    Device& device;
    // What the plainest launch needs, side by side; `ask_context` is null where this queue has no plain launches.
    decltype(Symbols::context_get) ask_context;
    void* const context;
    const LaunchFunction launch;
    void* stream = nullptr;
    const Code success;
    const bool profiling;
    bool owned = true; // else the application's
    uint64_t marked = 0; // the last value in `marks`
    Marks marks;
};

// A queue over a stream, which it owns unless `owned` is false; also when it fails.
qiao_status make_queue(Device& device, void* stream, bool owned, const qiao_plugin_queue_desc& desc, void** out_queue);

} // namespace qiao::cuda
