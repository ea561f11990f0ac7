// Which shared memory is on a device when not all of it fits: what is needed comes back before the operation that names it, what
// was used longest ago leaves. Only what no pending work uses leaves, so a result never depends on it.
#pragma once

#include <functional>

#include "emulation/shared.h"

namespace qiao {

// How long room is waited for that pending work, or another thread's launch, holds.
inline constexpr uint64_t kRoomPatienceNs = 10'000'000'000;

// Repeats the attempt as long as it lacks memory and room can be made for it. Takes nothing that `uses` (may be null) has locked.
// The caller has the room_mutex.
qiao_status attempt_with_room(qiao_device* device, const SharedUses* uses, const std::function<qiao_status()>& attempt, Room& out_room);

// For an allocation that did not fit: tries again after each step until it fits, or there is nothing left that could leave. The caller holds
// no mutex of shared memory.
qiao_status with_evictions(qiao_device* device, const std::function<qiao_status()>& attempt);

// One thread of the process makes room at a time, so that two launches that need more never keep each other's half for ever. Taken before any
// mutex of shared memory.
std::mutex& room_mutex();
// Between two attempts, with nothing held: work ends, other threads submit theirs.
void pause_for_room();

}  // namespace qiao
