// Services are called from any thread and never throw into a plugin.
#include "loader/host_services.h"

#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include <algorithm>

#include "object/error.h"
#include "object/lock.h"

namespace qiao::loader {
namespace {

HostContext& context_of(void* host) {
    return *static_cast<HostContext*>(host);
}

void host_log(void* host, qiao_log_level level, const char* text) {
    const HostContext& context = context_of(host);
    context.sinks.log(context.sinks.context, level, context.plugin_id.c_str(), text == nullptr ? "" : text);
}

void host_completed(void* host, uint64_t queue_token, uint64_t value, qiao_status status) {
    context_of(host).sinks.completed(queue_token, value, status);
}

void host_device_lost(void* host, uint64_t device_token, const char* reason) {
    context_of(host).sinks.device_lost(device_token, reason);
}

void host_error(void*, const qiao_plugin_error* error) {
    if (error != nullptr) set_plugin_error(*error);
}

void* host_allocate(void*, size_t size, size_t alignment) {
    void* pointer = nullptr;
    return posix_memalign(&pointer, std::max(alignment, sizeof(void*)), std::max<size_t>(size, 1)) == 0 ? pointer : nullptr;
}

void host_release(void*, void* pointer) {
    free(pointer);
}

// Spins for a moment, then yields, then sleeps for growing times up to 200 us.
qiao_status host_pause(void*, uint32_t* round, uint64_t deadline_ns) {
    const uint64_t now = now_ns();
    if (now >= deadline_ns) return QIAO_TIMEOUT;
    const uint32_t n = (*round)++;
    if (n < 100) {
        return QIAO_OK;
    }
    if (n < 120) {
        sched_yield();
        return QIAO_OK;
    }
    const uint64_t sleep_ns = std::min<uint64_t>({uint64_t{2000} * (n - 119), 200'000, deadline_ns - now});
    const timespec pause{0, static_cast<long>(sleep_ns)};
    nanosleep(&pause, nullptr);
    return QIAO_OK;
}

uint64_t host_now_ns(void*) {
    return now_ns();
}

const void* host_extension(void*, const char*) {
    return nullptr;
}

}  // namespace

void fill_host_api(HostContext& context) {
    context.api = {sizeof(qiao_host_api),
                   QIAO_PLUGIN_ABI_MAJOR,
                   QIAO_PLUGIN_ABI_MINOR,
                   &context,
                   context.plugin_directory.c_str(),
                   context.manifest_text.c_str(),
                   host_log,
                   host_completed,
                   host_device_lost,
                   host_error,
                   host_allocate,
                   host_release,
                   host_pause,
                   host_now_ns,
                   host_extension};
}

}  // namespace qiao::loader
