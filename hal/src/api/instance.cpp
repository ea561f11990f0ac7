// Creation: plugins are discovered, visible devices become handles, every candidate becomes an entry of the ledger.
// Teardown: when the application holds nothing of the instance any more.
#include "api/instance.h"

#include <pthread.h>
#include <stdlib.h>

#include <thread>

#include "api/entry.h"
#include "api/share.h"
#include "dispatch/device.h"
#include "dispatch/memory_level.h"
#include "dispatch/submit.h"
#include "dispatch/tables.h"
#include "emulation/copy.h"
#include "emulation/deferred.h"
#include "emulation/staging.h"
#include "loader/loader.h"
#include "object/memory.h"
#include "object/pool.h"
#include "object/program.h"
#include "object/queue.h"
#include "object/topology.h"
#include "share/memory_file.h"

namespace qiao {
namespace {

std::string environment(const char* name) {
    const char* value = secure_getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

template <class Visitor>
void for_all_slabs(Visitor&& visit) {
    visit(Slab<qiao_instance>::get());
    visit(Slab<qiao_device>::get());
    visit(Slab<qiao_memory>::get());
    visit(Slab<qiao_pool>::get());
    visit(Slab<qiao_program>::get());
    visit(Slab<qiao_kernel>::get());
    visit(Slab<qiao_queue>::get());
    visit(Slab<qiao_timeline>::get());
    visit(Slab<qiao_topology>::get());
}

void before_fork() {
    for_all_slabs([](auto& slab) { slab.lock(); });
}

void forked_parent() {
    for_all_slabs([](auto& slab) { slab.unlock(); });
}

void forked_child() {
    for_all_slabs([](auto& slab) {
        slab.mark_unlocked(kStateForked, [](const auto&) { return true; });
        slab.unlock();
    });
}

void watch_forks_once() {
    static const int registered = pthread_atfork(before_fork, forked_parent, forked_child);
    static_cast<void>(registered);
}

void sink_log(void* context, qiao_log_level level, const char* source, const char* text) {
    static_cast<Log*>(context)->write(level, source, text);
}

void sink_completed(uint64_t queue_token, uint64_t value, qiao_status status) {
    auto* queue = reinterpret_cast<qiao_queue*>(queue_token);
    if (status == QIAO_OK) {
        timeline_advance(queue->body.timeline->body, value);
        return;
    }
    queue_completed_with_error(queue, status);
}

void sink_device_lost(uint64_t device_token, const char* reason) {
    device_declare_lost(reinterpret_cast<qiao_device*>(device_token), reason);
}

void sink_output(void* context, uint64_t device_token, std::string_view kernel, std::string_view text) {
    std::string source = reinterpret_cast<qiao_device*>(device_token)->body.id;
    if (!kernel.empty()) source.append(" ").append(kernel);
    static_cast<Log*>(context)->output(source.c_str(), text);
}

// What keeps plugins in memory: the log that their host tables point to must live as long as they do.
struct LoadedPlugins {
    Log log;
    std::vector<loader::Candidate> candidates;
};

qiao_status log_level_from_environment(qiao_log_level& out_level) {
    const std::string text = environment("QIAO_LOG");
    static constexpr const char* kNames[] = {"", "error", "warning", "info", "debug"};
    out_level = QIAO_LOG_LEVEL_WARNING;
    if (text.empty()) return QIAO_OK;
    for (qiao_log_level level = QIAO_LOG_LEVEL_ERROR; level <= QIAO_LOG_LEVEL_DEBUG; ++level) {
        if (text == kNames[level]) {
            out_level = level;
            return QIAO_OK;
        }
    }
    return fail(QIAO_ERROR_INVALID_ARGUMENT, "QIAO_LOG is '%s'; it must be error, warning, info or debug", text.c_str());
}

// The device has no addresses: the core makes them, and nothing can follow those inside data.
void make_addresses_for(Device& device) {
    static std::atomic<uint32_t> g_table_count{0};
    device.made_addresses = std::make_unique<AddressTable<qiao_memory>>(g_table_count.fetch_add(1));
    device.info.features &= ~QIAO_FEATURE_ADDRESSES;
    const uint64_t limit = device.info.max_allocation_bytes;
    device.info.max_allocation_bytes = std::min(limit != 0 ? limit : UINT64_MAX, AddressTable<qiao_memory>::kMaxBytes & ~UINT64_C(15));
}

qiao_device* make_device(qiao_instance* instance, const loader::Candidate& candidate, uint32_t index) {
    qiao_device* handle = Slab<qiao_device>::get().create();
    Device& device = handle->body;
    device.instance = instance;
    device.plugin_id = candidate.plugin;
    device.index = candidate.devices[index].plugin_index;
    device.id = candidate.plugin + ":" + std::to_string(device.index);
    device.plugin = candidate.loaded->plugin();
    device.info = candidate.devices[index].info;
    device.formats = device.info.formats == nullptr ? "" : device.info.formats;
    device.info.formats = nullptr;
    const qiao_plugin_tables& tables = device.info.tables == nullptr ? candidate.loaded->tables() : *device.info.tables;
    device.tables = copy_tables(tables);
    device.extensions = copy_extensions(tables);
    device.free_threaded = (device.info.flags & QIAO_PLUGIN_DEVICE_FREE_THREADED) != 0;
    device.native_queues = has_native_queues(device.tables);
    settle_share_types(device);
    if ((device.info.flags & QIAO_PLUGIN_DEVICE_ARGUMENTS_RESOLVED) != 0) make_addresses_for(device);
    settle_memory_levels(device);
    return handle;
}

void add_candidate(qiao_instance* instance, const loader::Candidate& candidate, const std::string& visible) {
    Instance& body = instance->body;
    uint32_t shown = 0;
    for (uint32_t index = 0; index < candidate.devices.size(); ++index) {
        const std::string id = candidate.plugin + ":" + std::to_string(candidate.devices[index].plugin_index);
        if (!visible.empty() && !loader::list_match(visible, id)) continue;
        body.devices.push_back(make_device(instance, candidate, index));
        ++shown;
    }
    LedgerEntry entry{candidate.state,   shown,          candidate.manifest, candidate.library, candidate.plugin, candidate.version,
                      candidate.reason, candidate.remedy, candidate.probe};
    if (entry.state == QIAO_CANDIDATE_STATE_USABLE && shown == 0) {
        entry.state = QIAO_CANDIDATE_STATE_DISABLED;
        entry.reason = "no device of it is visible: the selection is '" + visible + "'";
        entry.remedy = "widen QIAO_VISIBLE_DEVICES";
    }
    body.ledger.push_back(std::move(entry));
}

// Seconds without progress after which the last release of an instance gives up on work.
uint64_t close_patience_ns() {
    constexpr uint64_t kOtherwise = 30, kMost = 1'000'000;
    const std::string text = environment("QIAO_CLOSE_TIMEOUT");
    const bool is_number = !text.empty() && text.size() < 8 && text.find_first_not_of("0123456789") == std::string::npos;
    return std::min<uint64_t>(is_number ? std::stoull(text) : kOtherwise, kMost) * 1'000'000'000;
}

void tear_down(qiao_instance* instance) {
    const uint64_t patience_ns = close_patience_ns();
    bool closed = true;
    for (qiao_device* device : instance->body.devices) {
        if (device_close(device, patience_ns)) continue;
        closed = false;
        const std::string text = "work or a call on " + device->body.id + " does not end: the device stays open and its plugin loaded until the process ends";
        instance->body.log.write(QIAO_LOG_LEVEL_ERROR, "core", text.c_str());
    }
    Staging::get().give_back_all();
    // A thread that is still inside a plugin comes back to all of this; the handles are dead, their bodies stay.
    if (!closed) return;
    for (qiao_device* device : instance->body.devices) {
        release(device);
        drop_use(device);
    }
    Slab<qiao_instance>::get().destroy(instance);
}

qiao_status read_options(const qiao_instance_desc* desc, qiao_instance_desc& options) {
    if (desc != nullptr) {
        QIAO_RETURN_IF_ERROR(read_desc(desc, "qiao_instance_desc", options));
        QIAO_RETURN_IF_ERROR(check_no_flags(options.flags, "qiao_instance_desc"));
        QIAO_RETURN_IF_ERROR(check_reserved(options.reserved0, "qiao_instance_desc"));
    }
    if (options.log_level > QIAO_LOG_LEVEL_DEBUG) {
        return fail(QIAO_ERROR_INVALID_ARGUMENT, "qiao_instance_desc.log_level is %u; the highest is %u", options.log_level, QIAO_LOG_LEVEL_DEBUG);
    }
    if (options.log_level == 0) QIAO_RETURN_IF_ERROR(log_level_from_environment(options.log_level));
    uint64_t ignored = 0;
    QIAO_RETURN_IF_ERROR(forced_chunk(ignored));  // said here, and not by each copy
    return QIAO_OK;
}

}  // namespace

void instance_drop_use(qiao_instance* instance) {
    if (instance->header.uses.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    if (on_queue_worker()) {
        std::thread(tear_down, instance).detach();  // it joins the workers, so it cannot run on one
    } else {
        tear_down(instance);
    }
}

}  // namespace qiao

using namespace qiao;

qiao_status qiao_instance_create(const qiao_instance_desc* desc, qiao_instance** out_instance) {
    return entry([&]() -> qiao_status {
        QIAO_CHECK_POINTER(out_instance);
        *out_instance = nullptr;
        qiao_instance_desc options = QIAO_INSTANCE_DESC_INIT;
        QIAO_RETURN_IF_ERROR(read_options(desc, options));
        watch_forks_once();

        auto plugins = std::make_shared<LoadedPlugins>();
        plugins->log = Log(options.log, options.log_user, options.log_level);
        loader::Options search;
        search.plugin_path = options.plugin_path == nullptr ? "" : options.plugin_path;
        search.sinks = {&plugins->log, sink_log, sink_completed, sink_device_lost, sink_output};
        plugins->candidates = loader::discover(search);

        const std::string visible = options.visible_devices == nullptr ? environment("QIAO_VISIBLE_DEVICES") : options.visible_devices;
        qiao_instance* instance = Slab<qiao_instance>::get().create();
        instance->body.log = plugins->log;
        instance->body.files = std::make_shared<MemoryFiles>();
        for (const loader::Candidate& candidate : plugins->candidates) add_candidate(instance, candidate, visible);
        instance->body.loaded_plugins = std::move(plugins);
        *out_instance = instance;
        return QIAO_OK;
    });
}

qiao_status qiao_instance_retain(qiao_instance* instance) {
    QIAO_CHECK_ALIVE(instance);
    retain(instance);
    return QIAO_OK;
}

qiao_status qiao_instance_release(qiao_instance* instance) {
    if (instance == nullptr) return QIAO_OK;
    QIAO_CHECK_ALIVE(instance);
    return entry([&]() -> qiao_status {
        if (release(instance)) instance_drop_use(instance);
        return QIAO_OK;
    });
}

qiao_status qiao_instance_query_candidate(qiao_instance* instance, uint32_t index, qiao_candidate* out_candidate) {
    QIAO_CHECK_HANDLE(instance);
    QIAO_CHECK_POINTER(out_candidate);
    const auto& ledger = instance->body.ledger;
    if (index >= ledger.size()) return fail(QIAO_ERROR_NOT_FOUND, "the ledger has %zu entries, %u was asked for", ledger.size(), index);
    const LedgerEntry& found = ledger[index];
    const qiao_candidate values = {sizeof(qiao_candidate), nullptr, found.state, found.device_count, found.manifest.c_str(), found.library.c_str(),
                                   found.plugin.c_str(), found.version.c_str(), found.reason.c_str(), found.remedy.c_str(),
                                   found.probe.c_str()};
    return write_struct(values, out_candidate, "qiao_candidate");
}

void qiao_query_version(uint32_t* out_major, uint32_t* out_minor, uint32_t* out_patch) {
    if (out_major != nullptr) *out_major = QIAO_VERSION_MAJOR;
    if (out_minor != nullptr) *out_minor = QIAO_VERSION_MINOR;
    if (out_patch != nullptr) *out_patch = QIAO_VERSION_PATCH;
}
