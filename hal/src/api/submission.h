// What entries that submit work share: the queue's check, and the way to the core's worker.
#pragma once

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
void defer(Queue& queue, Operation operation, uint64_t* out_value, uint64_t value_count = 1);

// The same: books what a direct slot answered. UNSUPPORTED is not reported, since the caller tries another way.
qiao_status book(Queue& queue, qiao_status status, const char* slot, uint64_t value, uint64_t* out_value);

}  // namespace qiao
