// What entries that submit work share: the queue's check, and the way to the core's worker.
#pragma once

#include <utility>

#include "api/entry.h"
#include "dispatch/queue.h"
#include "dispatch/submit.h"
#include "emulation/deferred.h"

#define QIAO_CHECK_QUEUE(queue)                                                       \
    do {                                                                              \
        if (!::qiao::is_healthy(queue)) [[unlikely]] return fail_submission(queue);   \
    } while (false)

namespace qiao {

// With the queue's lock held. An operation may take several values, of which the last one is its own.
inline void defer(Queue& queue, Operation operation, uint64_t* out_value, uint64_t value_count = 1) {
    const uint64_t value = queue_last_value(queue) + value_count;
    queue.deferred->push(std::move(operation), value);
    ++queue.deferred_count;
    queue_give_out(queue, value);
    if (out_value != nullptr) *out_value = value;
}

}  // namespace qiao
