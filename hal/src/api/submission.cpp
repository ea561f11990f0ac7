#include "api/submission.h"

#include <utility>

#include "dispatch/device.h"

namespace qiao {

void defer(Queue& queue, Operation operation, uint64_t* out_value, uint64_t value_count) {
    const uint64_t value = queue_last_value(queue) + value_count;
    queue.deferred->push(std::move(operation), value);
    ++queue.deferred_count;
    queue_give_out(queue, value);
    if (out_value != nullptr) *out_value = value;
}

qiao_status book(Queue& queue, qiao_status status, const char* slot, uint64_t value, uint64_t* out_value) {
    if (status == QIAO_ERROR_UNSUPPORTED) {
        clear_plugin_error();
        return status;
    }
    if (status != QIAO_OK) return device_slot_failed(queue.device, status, slot, queue.losses);
    queue_give_out(queue, value);
    *out_value = value;
    queue_accepted(queue, value);
    return QIAO_OK;
}

}  // namespace qiao
