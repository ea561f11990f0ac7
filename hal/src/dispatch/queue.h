// A queue's life and its less frequent questions: opening, retiring, native waits on another queue, timestamps.
#pragma once

#include "object/queue.h"

namespace qiao {

// `native` is a queue of the application's to work on; null = the plugin makes one.
qiao_status queue_open(qiao_device* device, const qiao_queue_desc& desc, const qiao_native* native, qiao_queue** out_queue);

// After the application's last reference: the queue goes when its work has ended.
void queue_retire(qiao_queue* queue);

// Words why nothing can be submitted: not a queue, lost, or an earlier operation failed.
qiao_status fail_submission(const qiao_queue* queue);

// UNSUPPORTED, without an error record, if the plugin cannot wait for that timeline.
qiao_status queue_after_natively(qiao_queue* queue, qiao_timeline* timeline, uint64_t value, uint64_t* out_value);

qiao_status queue_timestamps(qiao_queue* queue, uint64_t value, uint64_t* out_start_ns, uint64_t* out_end_ns);

}  // namespace qiao
