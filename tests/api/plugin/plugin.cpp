// The handshake, and what the devices are like: one with every slot, one with the fewest, one that notifies, two without
// addresses, of which one has no queues either, and, where QIAO_TEST_LIAR is set, one that says of its memory what is not so.
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "queued.h"

namespace queued {

void violation(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    std::fputs("queued plugin: the core broke a rule: ", stderr);
    std::vfprintf(stderr, format, arguments);
    std::fputs("\n", stderr);
    va_end(arguments);
    std::abort();
}

namespace {

constexpr qiao_plugin_tables kFull = {sizeof(qiao_plugin_tables), &kDeviceOps, &kMemoryOps, &kProgramOps, &kQueueOps, kExtensions, &kLinkOps};
constexpr qiao_plugin_tables kLeast = {sizeof(qiao_plugin_tables), &kLeastDeviceOps, &kLeastMemoryOps, &kProgramOps,
                                       &kLeastQueueOps, kExtensions, nullptr};
constexpr qiao_plugin_tables kNotifying = {sizeof(qiao_plugin_tables), &kDeviceOps, &kMemoryOps, &kProgramOps,
                                           &kNotifyingQueueOps, kExtensions, nullptr};

constexpr qiao_plugin_tables kWithoutQueues = {sizeof(qiao_plugin_tables), &kDeviceOps, &kMemoryOps, &kProgramOps, nullptr, kExtensions, nullptr};

}  // namespace

const std::array<Traits, 6> kTraits = {{
    {"every slot", true, true, true, &kFull},
    {"fewest slots", false, false, true, &kLeast},
    {"notifies", true, true, true, &kNotifying},
    {"no addresses", true, false, false, &kFull},
    {"no addresses, no queues", true, false, false, &kWithoutQueues},
    {"claims what is not so", true, true, true, &kFull, true},
}};

}  // namespace queued

using namespace queued;

extern "C" QIAO_EXPORT qiao_status qiao_plugin_query(const qiao_host_api* host, qiao_plugin_info* out_info) {
    auto* plugin = new Plugin{Host(host)};
    out_info->abi_major = QIAO_PLUGIN_ABI_MAJOR;
    out_info->abi_minor = QIAO_PLUGIN_ABI_MINOR;
    out_info->roles = QIAO_PLUGIN_ROLE_COMPUTE;
    out_info->id = "queued";
    out_info->version = "1.0";
    out_info->build = "fixture";
    out_info->plugin = plugin;
    out_info->tables = &kFull;
    out_info->plugin_close = [](void* closing) { delete static_cast<Plugin*>(closing); };
    return QIAO_OK;
}
