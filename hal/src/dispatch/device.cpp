// A device's life: opened by the first call that makes something on it, lost at any time, reset on request, closed with
// its instance.
#include "dispatch/device.h"

#include "dispatch/retire.h"
#include "dispatch/wait.h"
#include "object/memory.h"
#include "object/program.h"
#include "object/queue.h"

namespace qiao {
namespace {

void lose_everything(qiao_device* device, const ErrorRecord& record) {
    const auto on_device = [device](const auto& handle) { return handle.body.device == device; };
    Slab<qiao_queue>::get().mark(kStateLost, on_device);
    Slab<qiao_kernel>::get().mark(kStateLost, on_device);
    Slab<qiao_program>::get().mark(kStateLost, on_device);
    Slab<qiao_memory>::get().mark(kStateLost, on_device);
    std::lock_guard guard(device->body.state);
    for (qiao_queue* queue : device->body.queues) timeline_fail(queue->body.timeline->body, record);
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

void device_declare_lost(qiao_device* device, const char* reason) {
    Device& body = device->body;
    ErrorRecord record;
    {
        std::lock_guard guard(body.state);
        if (body.lost.load(std::memory_order_relaxed)) return;
        body.lost_reason = reason == nullptr || *reason == '\0' ? "the plugin gave no reason" : reason;
        record.message = "device " + body.id + " is lost: " + body.lost_reason;
        body.lost.store(true, std::memory_order_release);
    }
    record.status = QIAO_ERROR_DEVICE_LOST;
    record.remedy = "release what was made on it; qiao_device_reset starts it anew, where the plugin can";
    record.object = body.id;
    record.plugin = body.plugin_id;
    lose_everything(device, record);
    body.instance->body.log.write(QIAO_LOG_LEVEL_ERROR, body.plugin_id.c_str(), record.message.c_str());
}

qiao_status device_slot_failed(qiao_device* device, qiao_status status, const char* slot) {
    fail_from_plugin(status, device->body.plugin_id, slot);
    const ErrorRecord record = [&] {
        set_object(device->body.id);
        return last_error();
    }();
    if (record.status == QIAO_ERROR_DEVICE_LOST) {
        device_declare_lost(device, record.message.c_str());
        fail(record);
    }
    return record.status;
}

qiao_status device_fail_empty(qiao_device* device, const char* slot, const char* what) {
    fail(QIAO_ERROR_PLUGIN, "plugin %s: %s of %s succeeded but gave no %s", device->body.plugin_id.c_str(), slot, device_name(device), what);
    set_object(device->body.id);
    return QIAO_ERROR_PLUGIN;
}

qiao_status device_fail_lost(qiao_device* device) {
    std::lock_guard guard(device->body.state);
    fail(QIAO_ERROR_DEVICE_LOST, "device %s is lost: %s", device_name(device), device->body.lost_reason.c_str());
    set_remedy("qiao_device_reset starts it anew, where the plugin can");
    return QIAO_ERROR_DEVICE_LOST;
}

void device_refresh_state(qiao_device* device) {
    Device& body = device->body;
    void* opened = body.opened.load(std::memory_order_acquire);
    if (opened == nullptr || body.tables.device.device_state == nullptr || body.lost.load()) return;
    qiao_plugin_device_state state = QIAO_PLUGIN_DEVICE_STATE_OK;
    char reason[256] = "";
    {
        SlotGuard guard(body);
        if (body.tables.device.device_state(opened, &state, reason, sizeof reason) != QIAO_OK) return;
    }
    reason[sizeof reason - 1] = '\0';
    if (state == QIAO_PLUGIN_DEVICE_STATE_LOST) device_declare_lost(device, reason);
}

qiao_status device_reset(qiao_device* device) {
    Device& body = device->body;
    if (body.tables.device.device_reset == nullptr) {
        fail(QIAO_ERROR_UNSUPPORTED, "plugin %s cannot reset %s", body.plugin_id.c_str(), body.id.c_str());
        set_remedy("end the process, or reset the card with the vendor's tool");
        return QIAO_ERROR_UNSUPPORTED;
    }
    std::lock_guard guard(body.opening);
    if (body.opened.load(std::memory_order_relaxed) != nullptr) {
        device_declare_lost(device, "it is being reset");
        retire_everything(device);
    }
    SlotGuard slots(body);
    void* opened = body.opened.load(std::memory_order_relaxed);
    if (opened != nullptr) {
        const qiao_status status = body.tables.device.device_reset(opened);
        if (status != QIAO_OK) {
            fail_from_plugin(status, body.plugin_id, "device_reset");
            return last_error().status;
        }
    }
    std::lock_guard state(body.state);
    body.lost.store(false, std::memory_order_release);
    body.lost_reason.clear();
    return QIAO_OK;
}

void device_close(qiao_device* device) {
    Device& body = device->body;
    void* opened = body.opened.load(std::memory_order_acquire);
    if (opened == nullptr) return;
    device_wait_idle(device, UINT64_MAX);
    retire_everything(device);
    body.tables.device.device_close(opened);
    body.opened.store(nullptr, std::memory_order_release);
}

}  // namespace qiao
