// Entries of queues that move bytes: copies between any two places, what becomes of them, and fills.
#include <algorithm>

#include "api/place.h"
#include "api/submission.h"
#include "dispatch/copy_route.h"
#include "dispatch/device.h"
#include "dispatch/wait.h"
#include "emulation/copy_reports.h"
#include "emulation/shared.h"
#include "object/memory.h"
#include "qiao/queue.h"

using namespace qiao;

namespace {

/* ---------------------------------------------------------------- boxes */

// The bytes of one side: slices of rows, each at a pitch. Without a second one the pitch is what it takes up.
struct Box {
    uint64_t row_bytes, rows, slices, pitch, slice_pitch;
    uint64_t span;  // from the first byte to the last
};

// `count` pieces of `extent` bytes, each `pitch` behind the one before.
qiao_status stretch(uint64_t extent, uint64_t count, uint64_t pitch, const char* side, const char* what, uint64_t& out_span) {
    const char* const kind = *what == '\0' ? "row" : "slice";
    if (pitch < extent) {
        return fail(QIAO_ERROR_INVALID_ARGUMENT, "%s%s_pitch %" PRIu64 " is below the %s of %" PRIu64 " bytes", side, what, pitch, kind, extent);
    }
    if (pitch > (UINT64_MAX - extent) / (count - 1)) {
        return fail(QIAO_ERROR_OUT_OF_RANGE, "%s%s_pitch %" PRIu64 " x %" PRIu64 " %ss overflows", side, what, pitch, count, kind);
    }
    out_span = pitch * (count - 1) + extent;
    return QIAO_OK;
}

qiao_status make_box(const qiao_copy& copy, uint64_t pitch, uint64_t slice_pitch, const char* side, Box& out) {
    out = {copy.size_bytes, std::max<uint64_t>(copy.rows, 1), std::max<uint64_t>(copy.slices, 1), pitch, slice_pitch, copy.size_bytes};
    if (out.rows == 1) {
        out.pitch = out.row_bytes;
    } else {
        QIAO_RETURN_IF_ERROR(stretch(out.row_bytes, out.rows, pitch, side, "", out.span));
    }
    if (out.slices == 1) {
        out.slice_pitch = out.span;
        return QIAO_OK;
    }
    return stretch(out.span, out.slices, slice_pitch, side, "_slice", out.span);
}

// Whether slices of rows, the second so far behind the first, have a byte in common.
bool slices_overlap(uint64_t distance, const Box& box) {
    const uint64_t row = distance / box.pitch, within = distance % box.pitch;
    return (row < box.rows && within < box.row_bytes) || (row + 1 < box.rows && box.pitch - within < box.row_bytes);
}

bool boxes_overlap(const Resolved& source, const Box& from, const Resolved& target, const Box& to) {
    const uint64_t source_at = source.place.address, target_at = target.place.address;
    if (source.device != target.device || source_at >= target_at + to.span || target_at >= source_at + from.span) return false;
    if (from.pitch != to.pitch || from.slice_pitch != to.slice_pitch) return true;
    const uint64_t distance = std::max(source_at, target_at) - std::min(source_at, target_at);
    const uint64_t slice = distance / from.slice_pitch, within = distance % from.slice_pitch;
    return (slice < from.slices && slices_overlap(within, from)) || (slice + 1 < from.slices && slices_overlap(from.slice_pitch - within, from));
}

// What lies close in both boxes is one row; rows of one slice are no slices. So plugins meet the simplest form of a copy.
void simplify(Box& from, Box& to) {
    if (from.rows == 1) {
        for (Box* box : {&from, &to}) box->rows = std::exchange(box->slices, 1), box->pitch = box->slice_pitch, box->slice_pitch = box->span;
    }
    if (from.pitch == from.row_bytes && to.pitch == to.row_bytes && from.rows > 1) {
        for (Box* box : {&from, &to}) box->row_bytes *= std::exchange(box->rows, 1), box->pitch = box->row_bytes;
        return simplify(from, to);
    }
    if (from.slices > 1 && from.slice_pitch == from.rows * from.pitch && to.slice_pitch == to.rows * to.pitch) {
        for (Box* box : {&from, &to}) box->rows *= std::exchange(box->slices, 1), box->slice_pitch = box->span;
    }
}

/* ---------------------------------------------------------------- copies */

// A copy that has passed all checks.
struct CheckedCopy {
    Resolved source, target;
    uint64_t source_span, target_span;
    qiao_plugin_copy copy{};

    void settle() {
        source.settle(), target.settle();
        copy.source = source.place, copy.target = target.place;
    }
    bool is_settled() const { return source.is_settled() && target.is_settled(); }
};

qiao_status check_copy(const Queue& queue, const qiao_copy& request, CheckedCopy& out) {
    QIAO_RETURN_IF_ERROR(check_no_flags(request.flags, "qiao_copy"));
    if (request.size_bytes == 0) return fail(QIAO_ERROR_OUT_OF_RANGE, "size_bytes is 0; copy at least one byte");
    Box from, to;
    QIAO_RETURN_IF_ERROR(make_box(request, request.source_pitch, request.source_slice_pitch, "source", from));
    QIAO_RETURN_IF_ERROR(make_box(request, request.target_pitch, request.target_slice_pitch, "target", to));
    QIAO_RETURN_IF_ERROR(resolve(request.source, from.span, queue, "source", out.source));
    QIAO_RETURN_IF_ERROR(resolve(request.target, to.span, queue, "target", out.target));
    if (boxes_overlap(out.source, from, out.target, to)) {
        return fail(QIAO_ERROR_INVALID_ARGUMENT, "source 0x%" PRIx64 " and target 0x%" PRIx64 " overlap", request.source.address, request.target.address);
    }
    out.source_span = from.span, out.target_span = to.span;
    simplify(from, to);
    qiao_plugin_copy& copy = out.copy;
    copy.size_bytes = from.row_bytes, copy.rows = from.rows, copy.slices = from.slices;
    if (copy.rows > 1) copy.source_pitch = from.pitch, copy.target_pitch = to.pitch;
    if (copy.slices > 1) copy.source_slice_pitch = from.slice_pitch, copy.target_slice_pitch = to.slice_pitch;
    copy.source_device = out.source.device == nullptr ? nullptr : out.source.device->body.opened.load();
    copy.target_device = out.target.device == nullptr ? nullptr : out.target.device->body.opened.load();
    out.settle();
    return QIAO_OK;
}

void visit(Queue& queue, qiao_device* device) {
    if (device != nullptr && device != queue.device) device_add_visitor(device, queue.self);
}

// Whether the plugin's queue may know how: this device and the host, or two devices of the plugin.
bool is_native(const Queue& queue, const Resolved& source, const Resolved& target) {
    const auto own = [&](const Resolved& side) { return side.device == nullptr || side.device->body.plugin == queue.device->body.plugin; };
    return queue.plugin_queue != nullptr && own(source) && own(target) && (source.device == queue.device || target.device == queue.device);
}

// Of memory that is not on its device just now nothing can be asked: the first way is the one.
NativeRoute route_of(const Queue& queue, const CheckedCopy& checked) {
    if (!is_native(queue, checked.source, checked.target)) return NativeRoute();
    if (checked.is_settled()) return ask_route(queue, checked.copy);
    return route_by(may_take(queue, kParts[0], checked.copy) ? kParts[0] : kParts[1], checked.copy);
}

CopyProgress plan_of(const Queue& queue, const CheckedCopy& checked, const NativeRoute& route) {
    if (!route) return plan_through_host(checked.source.side(), checked.target.side(), checked.copy);
    const auto other = [&](const Resolved& side) { return side.device != nullptr && side.device != queue.device; };
    const bool is_peer = other(checked.source) || other(checked.target);
    return {.path = is_peer ? QIAO_COPY_PATH_PEER : QIAO_COPY_PATH_DIRECT, .operations = route.count};
}

void report(Queue& queue, uint64_t value, const CheckedCopy& checked, bool in_plugin, const CopyProgress& plan) {
    if (queue.copies == nullptr) queue.copies = std::make_unique<CopyReports>();
    queue.copies->add({value, total_bytes(checked.copy), plan, QIAO_NOT_READY, in_plugin});
}

// With the queue's lock held, on a direct queue.
qiao_status submit_in_plugin(Queue& queue, CheckedCopy& checked, uint64_t* out_value) {
    checked.copy.value = queue_last_value(queue) + 1;
    for (const NativeRoute::Part part : kParts) {
        if (!may_take(queue, part, checked.copy)) continue;
        const NativeRoute route = route_by(part, checked.copy);
        const qiao_status status = submit_parts(queue, route, checked.copy);
        if (status == QIAO_ERROR_UNSUPPORTED) continue;
        if (status != QIAO_OK) return status;
        *out_value = queue_last_value(queue);
        report(queue, *out_value, checked, true, plan_of(queue, checked, route));
        return QIAO_OK;
    }
    return QIAO_ERROR_UNSUPPORTED;
}

qiao_status submit_copy(Queue& queue, CheckedCopy& checked, uint64_t* out_value) {
    visit(queue, checked.source.device);
    visit(queue, checked.target.device);
    QueueGuard guard(queue);
    if (!guard) return device_fail_lost(queue.device);
    NativeRoute route;
    if (is_native(queue, checked.source, checked.target)) {
        if (queue_is_direct(queue)) {
            const qiao_status status = submit_in_plugin(queue, checked, out_value);
            if (status != QIAO_ERROR_UNSUPPORTED) return status;
        } else {
            route = ask_route(queue, checked.copy);
        }
    }
    checked.copy.value = queue_last_value(queue) + 1;
    const uint64_t value_count = std::max<uint64_t>(route.count, 1);
    report(queue, queue_last_value(queue) + value_count, checked, static_cast<bool>(route), plan_of(queue, checked, route));
    defer(queue, CopyOperation{checked.source.side(), checked.target.side(), checked.copy, route}, out_value, value_count);
    return QIAO_OK;
}

/* ---------------------------------------------------------------- fills */

qiao_status submit_fill(Queue& queue, const Resolved& target, qiao_plugin_fill fill, uint64_t* out_value) {
    const auto slot = queue.device->body.tables.queue.queue_fill;
    visit(queue, target.device);
    QueueGuard guard(queue);
    if (!guard) return device_fail_lost(queue.device);
    if (slot != nullptr && target.device == queue.device && queue_is_direct(queue)) {
        fill.value = queue_last_value(queue) + 1;
        const qiao_status status = book(queue, slot(queue.plugin_queue, &fill), "queue_fill", fill.value, out_value);
        if (status != QIAO_ERROR_UNSUPPORTED) return status;
    }
    defer(queue, FillOperation{target.side().owner, fill}, out_value);
    return QIAO_OK;
}

/* ---------------------------------------------------------------- reports */

// How a copy in the plugin's queue stands, or one that its queue's failure left behind.
qiao_status complete_report(qiao_queue* queue, CopyReports::Report& report) {
    if (report.status != QIAO_NOT_READY) return QIAO_OK;
    const qiao_status reached = timeline_poll(queue->body.timeline, report.value);
    if (reached == QIAO_NOT_READY) return reached;
    report.status = reached;
    if (reached == QIAO_OK) report.progress.done_bytes = report.total_bytes;
    return QIAO_OK;
}

}  // namespace

qiao_status qiao_queue_copy(qiao_queue* queue, const qiao_copy* copy, uint64_t* out_value) {
    uint64_t value = 0;
    if (out_value == nullptr) out_value = &value;
    *out_value = 0;
    QIAO_CHECK_QUEUE(queue);
    QIAO_CHECK_POINTER(copy);
    return entry([&]() -> qiao_status {
        CheckedCopy checked;
        QIAO_RETURN_IF_ERROR(check_copy(queue->body, *copy, checked));
        SharedUses uses;
        add_use_of(checked.source, checked.source_span, false, uses);
        add_use_of(checked.target, checked.target_span, true, uses);
        QIAO_RETURN_IF_ERROR(uses.send());
        checked.settle();
        QIAO_RETURN_IF_ERROR(submit_copy(queue->body, checked, out_value));
        uses.book(queue->body, *out_value);
        return QIAO_OK;
    });
}

qiao_status qiao_queue_query_copy(qiao_queue* queue, const qiao_copy* copy, qiao_copy_plan* out_plan) {
    QIAO_CHECK_QUEUE(queue);
    QIAO_CHECK_POINTER(copy);
    QIAO_CHECK_POINTER(out_plan);
    return entry([&]() -> qiao_status {
        CheckedCopy checked;
        QIAO_RETURN_IF_ERROR(check_copy(queue->body, *copy, checked));
        const CopyProgress plan = plan_of(queue->body, checked, route_of(queue->body, checked));
        const qiao_copy_plan values = {sizeof(qiao_copy_plan), nullptr, plan.path, 0u, total_bytes(checked.copy), plan.chunk_bytes, plan.operations};
        return write_struct(values, out_plan, "qiao_copy_plan");
    });
}

qiao_status qiao_queue_query_copy_report(qiao_queue* queue, uint64_t value, qiao_copy_report* out_report) {
    QIAO_CHECK_ALIVE(queue);
    QIAO_CHECK_POINTER(out_report);
    return entry([&]() -> qiao_status {
        Queue& body = queue->body;
        const uint64_t last = queue_last_value(body);
        if (value == 0 || value > last) return fail(QIAO_ERROR_OUT_OF_RANGE, "value %" PRIu64 " was never submitted; the last is %" PRIu64, value, last);
        CopyReports* copies = [&] {
            QueueGuard guard(body);
            return body.copies.get();
        }();
        auto found = copies == nullptr ? std::nullopt : copies->find(value);
        if (!found) {
            return fail(QIAO_ERROR_NOT_FOUND, "value %" PRIu64 " is no copy's, or none of the last %zu copies of the queue", value, CopyReports::kKept);
        }
        QIAO_RETURN_IF_ERROR(complete_report(queue, *found));
        if (found->status == QIAO_NOT_READY) return QIAO_NOT_READY;
        const CopyProgress& progress = found->progress;
        const qiao_copy_report values = {sizeof(qiao_copy_report), nullptr, progress.path, found->status, found->total_bytes, progress.done_bytes,
                                         progress.chunk_bytes, progress.operations};
        return write_struct(values, out_report, "qiao_copy_report");
    });
}

qiao_status qiao_queue_fill(qiao_queue* queue, qiao_place target, uint64_t size_bytes, const void* pattern, uint32_t pattern_bytes,
                            uint64_t* out_value) {
    uint64_t value = 0;
    if (out_value == nullptr) out_value = &value;
    *out_value = 0;
    QIAO_CHECK_QUEUE(queue);
    QIAO_CHECK_POINTER(pattern);
    return entry([&]() -> qiao_status {
        if (pattern_bytes == 0 || pattern_bytes > 16 || (pattern_bytes & (pattern_bytes - 1)) != 0) {
            return fail(QIAO_ERROR_INVALID_ARGUMENT, "pattern_bytes is %u; it must be 1, 2, 4, 8 or 16", pattern_bytes);
        }
        if (size_bytes == 0 || size_bytes % pattern_bytes != 0) {
            return fail(QIAO_ERROR_OUT_OF_RANGE, "size_bytes %" PRIu64 " must be a multiple of the pattern's %u bytes, and above 0", size_bytes, pattern_bytes);
        }
        Resolved resolved;
        QIAO_RETURN_IF_ERROR(resolve(target, size_bytes, queue->body, "target", resolved));
        SharedUses uses;
        add_use_of(resolved, size_bytes, true, uses);
        QIAO_RETURN_IF_ERROR(uses.send());
        resolved.settle();
        qiao_plugin_fill fill{};
        fill.target = resolved.place;
        fill.size_bytes = size_bytes;
        fill.pattern_size = pattern_bytes;
        std::memcpy(fill.pattern, pattern, pattern_bytes);
        QIAO_RETURN_IF_ERROR(submit_fill(queue->body, resolved, fill, out_value));
        uses.book(queue->body, *out_value);
        return QIAO_OK;
    });
}
