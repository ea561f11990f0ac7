// Timelines that other processes raise too: what they have raised is learned here, and waited for.
#pragma once

#include "object/timeline.h"

namespace qiao {

// How far the others have brought it; if that is not as far as `value`, also whether it has failed, which takes system calls.
void learn_from_others(Timeline& timeline, uint64_t value);

// As timeline_wait, for a shared timeline.
qiao_status wait_for_others(qiao_timeline* timeline, uint64_t value, uint64_t timeout_ns);

// Raises a timeline of the application, for all who have it. OUT_OF_RANGE if it is not below `value`.
qiao_status timeline_raise(Timeline& timeline, uint64_t value);

// The same by work, which has promised the value long ago: nothing happens where it is no longer below.
void timeline_raise_by_work(Timeline& timeline, uint64_t value);

// Work that would have raised it has failed: so does it, for all who have it.
void timeline_fail_for_all(Timeline& timeline, const ErrorRecord& record);

}  // namespace qiao
