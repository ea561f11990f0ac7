/* Timelines: 64-bit counters that only rise, the one completion primitive. Each queue has one (its operations carry the
 * values); an application can create more and raise them itself or from queues of any device. */
#ifndef QIAO_TIMELINE_H
#define QIAO_TIMELINE_H

#include "qiao/instance.h"

typedef struct qiao_timeline qiao_timeline;

/// A timeline that stands at `initial_value`.
QIAO_API qiao_status qiao_timeline_create(qiao_instance* instance, uint64_t initial_value, qiao_timeline** out_timeline);
QIAO_API qiao_status qiao_timeline_retain(qiao_timeline* timeline);
/// Waits on it end with CANCELLED if its value can no longer be raised. Null is ignored.
QIAO_API qiao_status qiao_timeline_release(qiao_timeline* timeline);

/// Raises a timeline made by qiao_timeline_create. OUT_OF_RANGE if `value` is not above the present one.
QIAO_API qiao_status qiao_timeline_signal(qiao_timeline* timeline, uint64_t value);

/// QIAO_OK if the value is reached, NOT_READY if not, or the status with which its work failed. Never blocks.
QIAO_API qiao_status qiao_timeline_reached(qiao_timeline* timeline, uint64_t value);
/// Blocks until the value is reached, the time is over (TIMEOUT), or its work failed or was lost (that status). Also
/// values that nobody has submitted yet may be waited for. A time-out of 0 is like qiao_timeline_reached.
QIAO_API qiao_status qiao_timeline_wait(qiao_timeline* timeline, uint64_t value, uint64_t timeout_ns);
/// The value that is reached now; asks the device if need be.
QIAO_API qiao_status qiao_timeline_query_value(qiao_timeline* timeline, uint64_t* out_value);

#endif
