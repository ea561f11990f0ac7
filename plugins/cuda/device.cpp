// Devices: those of every library of the family, listed once; opening one (context, stream, what works), its loss and its clock.
#include "device.h"

#include <stdlib.h>
#include <string.h>

#include <algorithm>

#include "queue.h"

namespace qiao::cuda {

// ---------------------------------------------------------------------------------------------- the current context

[[gnu::noinline]] void Current::enter(void* now) noexcept {
    before_ = now;
    entered_ = now != nullptr;
    device_.driver->call().context_set(device_.context.handle);
}

[[gnu::noinline]] void Current::enter_without_context() noexcept {
    const Symbols& call = device_.driver->call();
    if (call.device_set == nullptr) {
        call.context_set(device_.context.handle);
        return;
    }
    device_before_ = device_.context.ordinal;
    if (call.device_current != nullptr) call.device_current(&device_before_);
    if (call.device_current != nullptr && device_before_ == device_.context.ordinal) return;
    call.device_set(device_.context.ordinal);
    entered_ = call.device_current != nullptr;
}

[[gnu::noinline]] void Current::leave() noexcept {
    const Symbols& call = device_.driver->call();
    if (call.context_get != nullptr)
        call.context_set(before_);
    else
        call.device_set(device_before_);
}

// ---------------------------------------------------------------------------------------------- failures

bool check_lost(Device& device, Code code) noexcept {
    if (!device.driver->means_lost(code)) return false;
    if (!device.lost.exchange(true, std::memory_order_acq_rel)) device.driver->host().device_lost(device.token, device.driver->name_of(code));
    return true;
}

qiao_status device_failed(Device& device, Code code, std::string message, std::string remedy) noexcept {
    const qiao_status status = device.driver->fail(code, std::move(message), std::move(remedy));
    check_lost(device, code);
    return status;
}

// ---------------------------------------------------------------------------------------------- events and waits

void* take_event(Device& device, Code* out_code) {
    *out_code = device.driver->family().results.success;
    {
        const std::lock_guard lock(device.mutex);
        if (!device.spare_events.empty()) {
            void* event = device.spare_events.back();
            device.spare_events.pop_back();
            return event;
        }
    }
    void* event = nullptr;
    *out_code = device.driver->call().event_create(&event, device.works.elapsed ? 0 : kEventWithoutTime);
    return device.driver->ok(*out_code) ? event : nullptr;
}

void give_event(Device& device, void* event) noexcept {
    const std::lock_guard lock(device.mutex);
    try {
        device.spare_events.push_back(event);
    } catch (const std::bad_alloc&) {
        device.driver->call().event_destroy(event);
    }
}

qiao_status wait_event(Device& device, void* event, uint64_t timeout_ns, const char* what) noexcept {
    const qiao_host_api* api = device.api;
    const uint64_t now = api->now_ns(api->host);
    const uint64_t deadline = timeout_ns > UINT64_MAX - now ? UINT64_MAX : now + timeout_ns;
    uint32_t round = 0;
    while (true) {
        const Code code = device.driver->call().event_query(event);
        if (device.driver->ok(code)) return QIAO_OK;
        if (!device.driver->not_ready(code)) return device_failed(device, code, what);
        if (device.lost.load(std::memory_order_acquire)) return QIAO_ERROR_DEVICE_LOST;
        if (timeout_ns == 0 || api->pause(api->host, &round, deadline) == QIAO_TIMEOUT) return QIAO_TIMEOUT;
    }
}

qiao_status finish(Device& device, void* stream, const char* what) {
    Code code;
    void* event = take_event(device, &code);
    if (event == nullptr) return device_failed(device, code, text("%s: an event", what));
    code = device.driver->call().event_record(event, stream);
    const qiao_status status = device.driver->ok(code) ? wait_event(device, event, QIAO_TIMEOUT_INFINITE, what) : device_failed(device, code, what);
    give_event(device, event);
    return status;
}

// ---------------------------------------------------------------------------------------------- listing

namespace {

std::string library_variable(const Family& family) {
    std::string variable = "QIAO_CUDA_LIBRARY_";
    for (const char c : family.id) variable += c == '-' ? '_' : static_cast<char>(toupper(static_cast<unsigned char>(c)));
    return variable;
}

std::vector<std::string> library_paths(const Family& family) {
    const char* value = secure_getenv(library_variable(family).c_str());
    if (value == nullptr || *value == '\0') return family.libraries;
    std::vector<std::string> paths;
    for (std::string rest = value; !rest.empty();) {
        const size_t colon = std::min(rest.find(':'), rest.size());
        if (colon != 0) paths.push_back(rest.substr(0, colon));
        rest.erase(0, colon + 1);
    }
    return paths;
}

void fill_tables(const Driver& driver, Tables& tables) {
    const Symbols& call = driver.call();
    tables.device = cuda_device_ops;
    tables.memory = cuda_memory_ops;
    tables.program = cuda_program_ops;
    tables.queue = cuda_queue_ops;
    if (call.memory_info == nullptr) tables.device.device_memory_free = nullptr;
    if (call.event_elapsed == nullptr) tables.device.device_clock = nullptr, tables.queue.queue_timestamps = nullptr;
    if (!driver.has_host_register()) tables.memory.memory_import = nullptr;
    if (!driver.has_fill(1) && !driver.has_fill(4)) tables.queue.queue_fill = nullptr;
    if (call.stream_wait == nullptr) tables.queue.queue_after = nullptr;
    if (call.prefetch_async == nullptr) tables.queue.queue_prefetch = nullptr;
    tables.all = {sizeof(qiao_plugin_tables), &tables.device, &tables.memory, &tables.program, &tables.queue, nullptr, nullptr};
}

void list_devices(Plugin& plugin, Library& library) {
    Driver& driver = *library.driver;
    int count = 0;
    if (const Code code = driver.call().device_count(&count); !driver.ok(code)) {
        plugin.host.log(QIAO_LOG_LEVEL_WARNING, driver.path() + " cannot list its devices: " + driver.name_of(code));
        return;
    }
    for (int ordinal = 0; ordinal < count; ++ordinal) {
        DeviceRecord record;
        record.driver = &driver;
        record.ordinal = ordinal;
        if (const Code code = driver.call().device_get(&record.handle, ordinal); !driver.ok(code)) {
            plugin.host.log(QIAO_LOG_LEVEL_WARNING, text("device %d of %s is left out: %s", ordinal, driver.path().c_str(), driver.name_of(code).c_str()));
            continue;
        }
        DeviceRecord& kept = plugin.records.emplace_back(std::move(record));
        describe_device(plugin, kept);
        kept.info.tables = &library.tables.all;
    }
}

// "" or why the library at that path gives no devices. One that is not installed is no reason worth telling.
std::string open_one(Plugin& plugin, const std::string& path, std::vector<void*>& seen) {
    std::string reason;
    void* handle = open_library(path, &reason);
    if (handle == nullptr) return reason.find("cannot open shared object file: No such file") != std::string::npos ? "" : reason;
    if (std::find(seen.begin(), seen.end(), handle) != seen.end()) return ""; // another name of a library that is open
    seen.push_back(handle);
    auto driver = std::make_unique<Driver>(plugin.family, path, plugin.host);
    if (reason = driver->start(handle); !reason.empty()) return path + ": " + reason;
    Library& library = plugin.libraries.emplace_back();
    library.driver = std::move(driver);
    fill_tables(*library.driver, library.tables);
    list_devices(plugin, library);
    return "";
}

std::string visible_devices(const Family& family) {
    std::string set;
    for (const auto* names : {&family.visible_in_process, &family.visible_in_container})
        for (const std::string& name : *names)
            if (const char* value = getenv(name.c_str())) set += (set.empty() ? "" : ", ") + name + "='" + value + "'";
    return set;
}

void tell_no_device(const Plugin& plugin, const std::vector<std::string>& paths, const std::string& reasons) {
    std::string tried;
    for (const std::string& path : paths) tried += (tried.empty() ? "" : ", ") + path;
    std::string message = "no device with the " + plugin.family.name + ": ";
    message += !reasons.empty() ? reasons : plugin.libraries.empty() ? "none of its libraries is installed (" + tried + ")" : "the library has none";
    if (const std::string visible = visible_devices(plugin.family); !visible.empty()) message += "; " + visible;
    plugin::Failure failure;
    failure.status = QIAO_ERROR_NOT_FOUND;
    failure.message = message;
    failure.remedy = "install the card's driver, or name its library in " + library_variable(plugin.family);
    plugin.host.fail(failure);
}

void enumerate(Plugin& plugin) {
    plugin.records.clear();
    plugin.libraries.clear();
    const std::vector<std::string> paths = library_paths(plugin.family);
    std::vector<void*> seen;
    std::string reasons;
    for (const std::string& path : paths) {
        const std::string reason = open_one(plugin, path, seen);
        if (!reason.empty()) reasons += (reasons.empty() ? "" : "; ") + reason;
    }
    plugin.enumerated = !plugin.records.empty(); // else the next call looks, and tells, again
    if (!plugin.enumerated)
        tell_no_device(plugin, paths, reasons);
    else if (!reasons.empty())
        plugin.host.log(QIAO_LOG_LEVEL_DEBUG, reasons);
}

// ---------------------------------------------------------------------------------------------- opening

void close_device(Device& device) {
    const Symbols& call = device.driver->call();
    {
        const Current current(device);
        if (!device.lost.load()) {
            for (void* event : device.spare_events) call.event_destroy(event);
            if (device.clock.event != nullptr) call.event_destroy(device.clock.event);
            if (device.immediate != nullptr) call.stream_destroy(device.immediate);
        }
    }
    if (device.retained && call.context_release != nullptr) call.context_release(device.record->handle);
}

qiao_status enter_context(Device& device) {
    const Symbols& call = device.driver->call();
    device.context.ordinal = device.record->ordinal;
    if (device.driver->family().quirks.no_primary_context || call.context_retain == nullptr) return QIAO_OK;
    if (const Code code = call.context_retain(&device.context.handle, device.record->handle); !device.driver->ok(code))
        return device_failed(device, code, std::string(device.record->info.name) + " cannot be opened");
    device.retained = true;
    return QIAO_OK;
}

void read_priorities(Device& device) {
    int least = 0, greatest = 0;
    if (device.record->info.queue_priorities < 2 || !device.driver->ok(device.driver->call().stream_priorities(&least, &greatest))) return;
    device.priorities[1] = greatest;
}

qiao_status open_device(Device& device) {
    const Symbols& call = device.driver->call();
    if (const qiao_status status = enter_context(device); status != QIAO_OK) return status;
    const Current current(device);
    if (const Code code = call.stream_create(&device.immediate, kStreamFlags); !device.driver->ok(code)) {
        device.immediate = nullptr;
        return device_failed(device, code, std::string(device.record->info.name) + " gives no stream");
    }
    read_priorities(device);
    std::string reason;
    if (!try_out(device, &reason)) {
        plugin::Failure failure;
        failure.status = QIAO_ERROR_UNSUPPORTED;
        failure.message = std::string(device.record->info.name) + " says that it has memory, but a copy there and back does not work: " + reason;
        failure.remedy = "use another driver; is " + device.driver->path() + " a library of the family '" + device.driver->family().id + "'?";
        return device.driver->host().fail(failure);
    }
    if (!reason.empty()) device.driver->host().log(QIAO_LOG_LEVEL_INFO, std::string(device.record->info.name) + ": " + reason);
    return QIAO_OK;
}

// ---------------------------------------------------------------------------------------------- clock

// Advances the latest known moment to an event that ends now, between two readings of the host's clock.
qiao_status tick(Device& device, uint64_t* out_width, uint64_t* out_device_ns, uint64_t* out_host_ns) {
    const Symbols& call = device.driver->call();
    Code code;
    void* event = take_event(device, &code);
    if (event == nullptr) return device_failed(device, code, "an event for the clock");
    const uint64_t before = device.api->now_ns(device.api->host);
    code = call.event_record(event, device.immediate);
    qiao_status status = device.driver->ok(code) ? wait_event(device, event, QIAO_TIMEOUT_INFINITE, "the device's clock") : device_failed(device, code, "the device's clock");
    const uint64_t after = device.api->now_ns(device.api->host);
    const std::lock_guard lock(device.mutex);
    float milliseconds = 0;
    if (status == QIAO_OK && !device.driver->ok(code = call.event_elapsed(&milliseconds, device.clock.event, event)))
        status = device.driver->fail(code, "the device's clock");
    if (status == QIAO_OK) {
        device.clock.ns += static_cast<double>(milliseconds) * 1e6;
        std::swap(device.clock.event, event);
        *out_width = after - before;
        *out_device_ns = static_cast<uint64_t>(device.clock.ns);
        *out_host_ns = before + (after - before) / 2;
    }
    device.spare_events.push_back(event);
    return status;
}

} // namespace

// ---------------------------------------------------------------------------------------------- slots

static qiao_status cuda_device_count(void* plugin_pointer, uint32_t* out_count) {
    Plugin& plugin = *static_cast<Plugin*>(plugin_pointer);
    return plugin::guarded(plugin.host, "device_count", [&] {
        const std::lock_guard lock(plugin.mutex);
        if (!plugin.enumerated) enumerate(plugin);
        *out_count = static_cast<uint32_t>(plugin.records.size());
        return static_cast<qiao_status>(QIAO_OK);
    });
}

static qiao_status cuda_device_query(void* plugin_pointer, uint32_t index, qiao_plugin_device_info* out_info) {
    Plugin& plugin = *static_cast<Plugin*>(plugin_pointer);
    const std::lock_guard lock(plugin.mutex);
    if (index >= plugin.records.size())
        return plugin.host.fail({.status = QIAO_ERROR_OUT_OF_RANGE, .message = text("there is no device %u; there are %zu", index, plugin.records.size())});
    plugin::write_growing(out_info, plugin.records[index].info);
    return QIAO_OK;
}

static qiao_status cuda_device_open(void* plugin_pointer, uint32_t index, uint64_t device_token, void** out_device) {
    Plugin& plugin = *static_cast<Plugin*>(plugin_pointer);
    return plugin::guarded(plugin.host, "device_open", [&]() -> qiao_status {
        auto device = std::make_unique<Device>();
        {
            const std::lock_guard lock(plugin.mutex);
            device->record = &plugin.records.at(index);
        }
        device->driver = device->record->driver;
        device->api = plugin.api;
        device->token = device_token;
        if (const qiao_status status = open_device(*device); status != QIAO_OK) {
            close_device(*device);
            return status;
        }
        *out_device = device.release();
        return QIAO_OK;
    });
}

static void cuda_device_close(void* device_pointer) {
    auto* device = static_cast<Device*>(device_pointer);
    close_device(*device);
    delete device;
}

static qiao_status cuda_device_synchronize(void* device_pointer, uint64_t timeout_ns) {
    Device& device = *static_cast<Device*>(device_pointer);
    return plugin::guarded(device.driver->host(), "device_synchronize", [&] { return synchronize(device, timeout_ns); });
}

static qiao_status cuda_device_state(void* device_pointer, qiao_plugin_device_state* out_state, char* reason, size_t reason_size) {
    const Device& device = *static_cast<Device*>(device_pointer);
    const bool lost = device.lost.load();
    *out_state = lost ? QIAO_PLUGIN_DEVICE_STATE_LOST : QIAO_PLUGIN_DEVICE_STATE_OK;
    plugin::copy_text(reason, reason_size, lost ? "its driver reported the loss" : "");
    return QIAO_OK;
}

static qiao_status cuda_device_memory_free(void* device_pointer, uint64_t* out_free_bytes, uint64_t* out_total_bytes) {
    Device& device = *static_cast<Device*>(device_pointer);
    const Current current(device);
    size_t free_bytes = 0, total_bytes = 0;
    const Code code = device.driver->call().memory_info(&free_bytes, &total_bytes);
    if (!device.driver->ok(code)) return device_failed(device, code, "asking for free memory");
    *out_free_bytes = free_bytes;
    *out_total_bytes = total_bytes;
    return QIAO_OK;
}

static qiao_status cuda_device_clock(void* device_pointer, uint64_t* out_device_ns, uint64_t* out_host_ns) {
    Device& device = *static_cast<Device*>(device_pointer);
    if (!device.works.elapsed)
        return device.driver->host().fail({.status = QIAO_ERROR_UNSUPPORTED, .message = "the driver measures no times between events"});
    return plugin::guarded(device.driver->host(), "device_clock", [&]() -> qiao_status {
        const Current current(device);
        uint64_t best = UINT64_MAX;
        for (int i = 0; i < 4; ++i) {
            uint64_t width = 0, device_ns = 0, host_ns = 0;
            if (const qiao_status status = tick(device, &width, &device_ns, &host_ns); status != QIAO_OK) return status;
            if (width >= best) continue;
            best = width;
            *out_device_ns = device_ns;
            *out_host_ns = host_ns;
        }
        return QIAO_OK;
    });
}

const qiao_plugin_device_ops cuda_device_ops = {
    sizeof(qiao_plugin_device_ops),
    cuda_device_count,
    cuda_device_query,
    cuda_device_open,
    cuda_device_close,
    cuda_device_synchronize,
    cuda_device_state,
    nullptr, // device_reset: would take along what the application itself made in the primary context
    cuda_device_memory_free,
    cuda_device_clock,
    cuda_device_native,
};

} // namespace qiao::cuda
