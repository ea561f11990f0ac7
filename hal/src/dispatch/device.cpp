// A device's life: opened by the first call that makes something on it, lost at any time, reset on request, closed with
// its instance.
#include "dispatch/device.h"

#include <time.h>

#include <algorithm>

#include "dispatch/retire.h"
#include "dispatch/wait.h"
#include "emulation/deferred.h"
#include "object/memory.h"
#include "object/pool.h"
#include "object/program.h"
#include "object/queue.h"

namespace qiao {
namespace {

// How long a reset waits for a call that is inside the plugin.
constexpr uint64_t kResetPatienceNs = 1'000'000'000;
// How long a question about the state does.
constexpr uint64_t kStatePatienceNs = 20'000'000;
// How long the end of a lost device may take: its work has failed already.
constexpr uint64_t kLostPatienceNs = 1'000'000'000;

void lose_everything(qiao_device* device, const ErrorRecord& record) {
    const auto on_device = [device](const auto& handle) { return handle.body.device == device; };
    Slab<qiao_queue>::get().mark(kStateLost, on_device);
    Slab<qiao_kernel>::get().mark(kStateLost, on_device);
    Slab<qiao_program>::get().mark(kStateLost, on_device);
    Slab<qiao_memory>::get().mark(kStateLost, on_device);
    Slab<qiao_pool>::get().mark(kStateLost, on_device);
    std::lock_guard guard(device->body.state);
    for (qiao_queue* queue : device->body.queues) timeline_fail(queue->body.timeline->body, record);
    for (qiao_queue* queue : device->body.queues) queue->body.deferred->abandon_slot();
}

// How far all queues have come, as one number that only rises while something moves.
uint64_t progress_of(qiao_device* device) {
    uint64_t sum = 0;
    for (qiao_queue* queue : device_use_queues(device)) {
        sum += queue->body.timeline->body.reached.load();
        drop_use(queue);
    }
    return sum;
}

// False if nothing has moved for that long.
bool wait_until_empty(qiao_device* device, uint64_t patience_ns) {
    constexpr uint64_t kLookNs = 20'000'000;
    uint64_t seen = progress_of(device), since_ns = now_ns();
    for (;;) {
        device_wait_idle(device, now_ns() + kLookNs);
        retire_passed(device);
        if (retire_is_empty(device)) return true;
        const uint64_t progress = progress_of(device), now = now_ns();
        if (progress != seen) since_ns = now;
        seen = progress;
        if (now - since_ns >= (device->body.lost.load() ? std::min(patience_ns, kLostPatienceNs) : patience_ns)) return false;
        const timespec pause{0, 1'000'000};  // a queue's thread is on its way out
        nanosleep(&pause, nullptr);
    }
}

qiao_status fail_removed(const qiao_device* device) {
    fail(QIAO_ERROR_DEVICE_LOST, "%s was removed: there is nothing to reset", device_name(device));
    set_remedy("put it back, and create a new instance");
    return QIAO_ERROR_DEVICE_LOST;
}

// Until the plugin has abandoned its work, that uses what may be released meanwhile.
qiao_status reset_opened(qiao_device* device, void* opened) {
    Device& body = device->body;
    const DestructionPause pause(device);
    device_declare_lost(device, "it is being reset");
    const uint64_t deadline_ns = now_ns() + kResetPatienceNs;
    const bool is_quiet = pause.wait(deadline_ns);
    SlotGuard slots(body, deadline_ns);
    if (!is_quiet || !slots) {
        fail(QIAO_ERROR_DEVICE_LOST, "%s cannot be reset now: a call into plugin %s has not returned", device_name(device), body.plugin_id.c_str());
        set_remedy("reset it again later; other devices are not affected");
        return QIAO_ERROR_DEVICE_LOST;
    }
    const qiao_status status = body.tables.device.device_reset(opened);
    if (status == QIAO_OK) return QIAO_OK;
    fail_from_plugin(status, body.plugin_id, "device_reset");
    return last_error().status;
}

}  // namespace

qiao_status device_ensure_open(qiao_device* device) {
    Device& body = device->body;
    if (body.lost.load(std::memory_order_acquire)) return device_fail_lost(device);
    if (body.opened.load(std::memory_order_acquire) != nullptr) return QIAO_OK;
    std::lock_guard guard(body.opening);
    if (body.opened.load(std::memory_order_relaxed) != nullptr) return QIAO_OK;
    void* opened = nullptr;
    const qiao_status status =
        body.tables.device.device_open(body.plugin, body.index, reinterpret_cast<uint64_t>(device), &opened);
    if (status != QIAO_OK) {
        fail_from_plugin(status, body.plugin_id, "device_open");
        set_object(body.id);
        return last_error().status;
    }
    if (opened == nullptr) return device_fail_empty(device, "device_open", "device");
    body.opened.store(opened, std::memory_order_release);
    return QIAO_OK;
}

void device_declare_lost(qiao_device* device, const char* reason, uint64_t losses) {
    Device& body = device->body;
    ErrorRecord record;
    {
        std::lock_guard guard(body.state);
        if (body.lost.load(std::memory_order_relaxed)) return;
        if (losses != kLossesUnknown && body.losses.load() != losses) return;
        body.lost_reason = reason == nullptr || *reason == '\0' ? "the plugin gave no reason" : reason;
        record.message = "device " + body.id + " is lost: " + body.lost_reason;
        body.losses.fetch_add(1);
        body.lost.store(true);
    }
    record.status = QIAO_ERROR_DEVICE_LOST;
    record.remedy = "release what was made on it; qiao_device_reset starts it anew, where the plugin can";
    record.object = body.id;
    record.plugin = body.plugin_id;
    lose_everything(device, record);
    body.instance->body.log.write(QIAO_LOG_LEVEL_ERROR, body.plugin_id.c_str(), record.message.c_str());
}

qiao_status device_slot_failed(qiao_device* device, qiao_status status, const char* slot, uint64_t losses) {
    fail_from_plugin(status, device->body.plugin_id, slot);
    const ErrorRecord record = [&] {
        set_object(device->body.id);
        return last_error();
    }();
    if (record.status == QIAO_ERROR_DEVICE_LOST) {
        device_declare_lost(device, record.message.c_str(), losses);
        fail(record);
    }
    return record.status;
}

qiao_status device_read_clock(qiao_device* device, uint64_t* out_device_ns, uint64_t* out_host_ns) {
    Device& body = device->body;
    const uint64_t losses = body.losses.load();
    SlotGuard guard(body);
    if (!guard) return device_fail_lost(device);
    const qiao_status status = body.tables.device.device_clock(body.opened.load(), out_device_ns, out_host_ns);
    return status == QIAO_OK ? QIAO_OK : device_slot_failed(device, status, "device_clock", losses);
}

qiao_status device_fail_empty(qiao_device* device, const char* slot, const char* what) {
    fail(QIAO_ERROR_PLUGIN, "plugin %s: %s of %s succeeded but gave no %s", device->body.plugin_id.c_str(), slot, device_name(device), what);
    set_object(device->body.id);
    return QIAO_ERROR_PLUGIN;
}

qiao_status device_fail_lost(qiao_device* device) {
    std::lock_guard guard(device->body.state);
    const std::string& reason = device->body.lost_reason;
    fail(QIAO_ERROR_DEVICE_LOST, "device %s is lost: %s", device_name(device), reason.empty() ? "it was reset meanwhile" : reason.c_str());
    set_remedy("qiao_device_reset starts it anew, where the plugin can");
    return QIAO_ERROR_DEVICE_LOST;
}

void device_refresh_state(qiao_device* device) {
    Device& body = device->body;
    void* opened = body.opened.load(std::memory_order_acquire);
    if (opened == nullptr || body.tables.device.device_state == nullptr) return;
    const uint64_t losses = body.losses.load();
    qiao_plugin_device_state state = QIAO_PLUGIN_DEVICE_STATE_OK;
    char reason[256] = "";
    {
        SlotGuard guard(body, now_ns() + kStatePatienceNs);
        if (!guard || body.tables.device.device_state(opened, &state, reason, sizeof reason) != QIAO_OK) return;
    }
    reason[sizeof reason - 1] = '\0';
    if (state == QIAO_PLUGIN_DEVICE_STATE_REMOVED) {
        std::lock_guard guard(body.state);
        body.removed = true;
    }
    if (state != QIAO_PLUGIN_DEVICE_STATE_OK) device_declare_lost(device, reason, losses);
}

qiao_status device_reset(qiao_device* device) {
    Device& body = device->body;
    if (body.tables.device.device_reset == nullptr) {
        fail(QIAO_ERROR_UNSUPPORTED, "plugin %s cannot reset %s", body.plugin_id.c_str(), body.id.c_str());
        set_remedy("end the process, or reset the card with the vendor's tool");
        return QIAO_ERROR_UNSUPPORTED;
    }
    std::lock_guard guard(body.opening);
    if (void* opened = body.opened.load(std::memory_order_relaxed); opened != nullptr) {
        device_refresh_state(device);
        if (device_is_removed(device)) return fail_removed(device);
        QIAO_RETURN_IF_ERROR(reset_opened(device, opened));
    }
    retire_passed(device);
    if (body.made_addresses != nullptr) body.made_addresses->lose_all();
    std::lock_guard state(body.state);
    body.lost_reason.clear();
    body.generation.fetch_add(1);
    body.lost.store(false);
    return QIAO_OK;
}

bool device_is_removed(qiao_device* device) {
    std::lock_guard guard(device->body.state);
    return device->body.removed;
}

bool device_close(qiao_device* device, uint64_t patience_ns) {
    Device& body = device->body;
    void* opened = body.opened.load(std::memory_order_acquire);
    if (opened == nullptr) return true;
    if (!wait_until_empty(device, patience_ns) || body.abandoned.load()) return false;
    body.tables.device.device_close(opened);
    body.opened.store(nullptr, std::memory_order_release);
    return true;
}

}  // namespace qiao
