#include "dispatch/copy_route.h"

#include "dispatch/device.h"
#include "dispatch/submit.h"

namespace qiao {
namespace {

// The index-th part of a copy, with the value that it carries.
qiao_plugin_copy part_of(const qiao_plugin_copy& copy, NativeRoute::Part part, uint64_t index) {
    qiao_plugin_copy piece = copy;
    piece.value += index;
    if (part == NativeRoute::Part::kWhole) return piece;
    const uint64_t slice = part == NativeRoute::Part::kSlice ? index : index / copy.rows, row = part == NativeRoute::Part::kSlice ? 0 : index % copy.rows;
    const auto move = [&](qiao_plugin_place& place, uint64_t pitch, uint64_t slice_pitch) {
        const uint64_t bytes = slice * slice_pitch + row * pitch;
        place.offset += bytes;
        place.address += bytes;
    };
    move(piece.source, copy.source_pitch, copy.source_slice_pitch);
    move(piece.target, copy.target_pitch, copy.target_slice_pitch);
    piece.slices = 1;
    piece.source_slice_pitch = piece.target_slice_pitch = 0;
    if (part == NativeRoute::Part::kSlice) return piece;
    piece.rows = 1;
    piece.source_pitch = piece.target_pitch = 0;
    return piece;
}

}  // namespace

NativeRoute ask_route(const Queue& queue, const qiao_plugin_copy& copy) {
    const auto can_copy = queue.device->body.tables.queue.queue_can_copy;
    for (const NativeRoute::Part part : kParts) {
        if (!may_take(queue, part, copy)) continue;
        const qiao_plugin_copy first = part_of(copy, part, 0);
        if (can_copy == nullptr || can_copy(queue.plugin_queue, &first) == QIAO_OK) return route_by(part, copy);
    }
    clear_plugin_error();
    return {};
}

qiao_status submit_parts(Queue& queue, const NativeRoute& route, const qiao_plugin_copy& copy) {
    const auto slot = queue.device->body.tables.queue.queue_copy;
    for (uint64_t index = 0; index < route.count; ++index) {
        const qiao_plugin_copy part = part_of(copy, route.part, index);
        const qiao_status status = slot(queue.plugin_queue, &part);
        if (status == QIAO_ERROR_UNSUPPORTED && index == 0) {
            clear_plugin_error();
            return status;
        }
        if (status != QIAO_OK && index == 0) return device_slot_failed(queue.device, status, "queue_copy", queue.losses);
        if (status != QIAO_OK) {
            queue_fail_from_slot(queue.self, status == QIAO_ERROR_UNSUPPORTED ? QIAO_ERROR_PLUGIN : status, "queue_copy");
            return last_error().status;
        }
        if (part.value > queue_last_value(queue)) queue_give_out(queue, part.value);
        queue_accepted(queue, part.value);
    }
    return QIAO_OK;
}

}  // namespace qiao
