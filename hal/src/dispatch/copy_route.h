// What of a copy a plugin's queue is given at once: all of it, or a slice or a row at a time.
#pragma once

#include "object/queue.h"

namespace qiao {

struct NativeRoute {
    enum class Part { kWhole, kSlice, kRow };
    Part part = Part::kWhole;
    uint64_t count = 0;  // of parts, each an operation with a value of its own; 0 = the plugin's queue cannot

    explicit operator bool() const { return count != 0; }
};

inline NativeRoute route_by(NativeRoute::Part part, const qiao_plugin_copy& copy) {
    return {part, part == NativeRoute::Part::kWhole ? 1 : part == NativeRoute::Part::kSlice ? copy.slices : copy.slices * copy.rows};
}

// The ways to try, from the best on; a plain copy has one.
inline bool may_take(const Queue& queue, NativeRoute::Part part, const qiao_plugin_copy& copy) {
    switch (part) {
        case NativeRoute::Part::kWhole:
            return copy.slices == 1 || queue.device->body.tables.queue.queue_can_copy != nullptr;
        case NativeRoute::Part::kSlice:
            return copy.slices > 1;
        default:
            return copy.rows > 1;
    }
}
inline constexpr NativeRoute::Part kParts[] = {NativeRoute::Part::kWhole, NativeRoute::Part::kSlice, NativeRoute::Part::kRow};

// As the plugin says it, or as far as its slots tell. The queue has a plugin queue, the places are the plugin's or the host's.
NativeRoute ask_route(const Queue& queue, const qiao_plugin_copy& copy);

// With the queue's lock held: gives the plugin all parts, from the copy's value on, and books those that it accepts. UNSUPPORTED
// if it refuses the first: nothing was done, and no error is recorded. One that fails after others were accepted fails the queue.
qiao_status submit_parts(Queue& queue, const NativeRoute& route, const qiao_plugin_copy& copy);

}  // namespace qiao
