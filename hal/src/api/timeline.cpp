// Entries for timelines. How a value comes to be known is in dispatch/wait.cpp.
#include "qiao/timeline.h"

#include "api/entry.h"
#include "api/instance.h"
#include "dispatch/shared_wait.h"
#include "dispatch/wait.h"

using namespace qiao;

qiao_status qiao_timeline_create(qiao_instance* instance, uint64_t initial_value, qiao_timeline** out_timeline) {
    if (out_timeline != nullptr) *out_timeline = nullptr;
    QIAO_CHECK_HANDLE(instance);
    QIAO_CHECK_POINTER(out_timeline);
    return entry([&]() -> qiao_status {
        *out_timeline = Slab<qiao_timeline>::get().create(instance, nullptr, initial_value);
        instance_add_use(instance);
        return QIAO_OK;
    });
}

// A queue's timeline starts without a reference of the application: the queue itself holds the use.
qiao_status qiao_timeline_retain(qiao_timeline* timeline) {
    QIAO_CHECK_ALIVE(timeline);
    return entry([&]() -> qiao_status {
        if (timeline->body.of_queue) {
            instance_add_use(timeline->body.instance);
            add_use(timeline);
        }
        retain(timeline);
        return QIAO_OK;
    });
}

qiao_status qiao_timeline_release(qiao_timeline* timeline) {
    if (timeline == nullptr) return QIAO_OK;
    QIAO_CHECK_ALIVE(timeline);
    return entry([&]() -> qiao_status {
        qiao_instance* instance = timeline->body.instance;
        if (timeline->body.of_queue) {
            if (timeline->header.references.load() <= 1) {
                return fail(QIAO_ERROR_INVALID_HANDLE, "the timeline belongs to its queue and was not retained; release the queue");
            }
            timeline->header.references.fetch_sub(1);
            drop_use(timeline);
            instance_drop_use(instance);
            return QIAO_OK;
        }
        if (!release(timeline)) return QIAO_OK;
        timeline_close_if_unraisable(timeline);
        drop_use(timeline);
        instance_drop_use(instance);
        return QIAO_OK;
    });
}

qiao_status qiao_timeline_signal(qiao_timeline* timeline, uint64_t value) {
    QIAO_CHECK_HANDLE(timeline);
    if (timeline->body.of_queue) return fail(QIAO_ERROR_INVALID_ARGUMENT, "the timeline belongs to a queue; only its operations raise it");
    return timeline_raise(timeline->body, value);
}

qiao_status qiao_timeline_reached(qiao_timeline* timeline, uint64_t value) {
    QIAO_CHECK_HANDLE(timeline);
    if (timeline->body.reached.load(std::memory_order_acquire) >= value) return QIAO_OK;
    return entry([&]() -> qiao_status {
        const qiao_status status = timeline_poll(timeline, value);
        return status < 0 ? timeline_report_failure(timeline, value) : status;
    });
}

[[gnu::hot]] qiao_status qiao_timeline_wait(qiao_timeline* timeline, uint64_t value, uint64_t timeout_ns) {
    QIAO_CHECK_HANDLE(timeline);
    return entry([&]() -> qiao_status { return timeline_wait_by_host(timeline, value, timeout_ns); });
}

qiao_status qiao_timeline_query_value(qiao_timeline* timeline, uint64_t* out_value) {
    if (out_value != nullptr) *out_value = 0;
    QIAO_CHECK_HANDLE(timeline);
    QIAO_CHECK_POINTER(out_value);
    return entry([&]() -> qiao_status {
        timeline_poll_last(timeline);
        *out_value = timeline->body.reached.load(std::memory_order_acquire);
        return QIAO_OK;
    });
}
