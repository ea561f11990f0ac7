/* The instance: loads the plugins, lists devices and the ledger of plugins; and the application's log function. */
#ifndef QIAO_HPP_INSTANCE_HPP
#define QIAO_HPP_INSTANCE_HPP

#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "qiao/hpp/device.hpp"
#include "qiao/hpp/owner.hpp"
#include "qiao/instance.h"

namespace qiao {
inline namespace v0 {

enum class LogLevel : qiao_log_level {
    kDefault = 0u, ///< QIAO_LOG, else warnings
    kError = QIAO_LOG_LEVEL_ERROR,
    kWarning = QIAO_LOG_LEVEL_WARNING,
    kInfo = QIAO_LOG_LEVEL_INFO,
    kDebug = QIAO_LOG_LEVEL_DEBUG,
    kOutput = QIAO_LOG_LEVEL_OUTPUT, ///< what a kernel printed; not to be asked for, it always comes
};

/// `source` is "core" or a plugin's id; of output, the device's id and the kernel's name. Called from any thread, but never
/// twice at once; must not call into Qiao. What it throws is dropped with the message.
using LogFunction = std::function<void(LogLevel level, std::string_view source, std::string_view text)>;

/// The fields of qiao_instance_desc.
struct InstanceOptions {
    const char* plugin_path = nullptr;     ///< folders of manifests, ':' between; null or an empty one = the usual places
    const char* visible_devices = nullptr; ///< globs over device ids; null = QIAO_VISIBLE_DEVICES, else all
    LogFunction log = nullptr;             ///< empty = warnings and errors to stderr, what kernels print to stdout
    LogLevel level = LogLevel::kDefault;
};

namespace detail {

/// Where the core's log ends up. Objects may keep the C instance, and so the core's pointer to this, alive after the last
/// Instance is gone, and nobody says when that ends: the function goes with the last Instance, the sink stays for ever.
class LogSink {
  public:
    static std::shared_ptr<LogSink> open(LogFunction function) {
        auto* sink = new LogSink(std::move(function));
        return {sink, [](LogSink* closing) { closing->close(); }};
    }
    static void callback(void* self, qiao_log_level level, const char* source, const char* text) noexcept {
        auto& sink = *static_cast<LogSink*>(self);
        try {
            const std::lock_guard<std::mutex> guard(sink.mutex_);
            if (sink.function_) sink.function_(static_cast<LogLevel>(level), source, text);
        } catch (...) { // exceptions must not enter the core
        }
    }

  private:
    explicit LogSink(LogFunction function) : function_(std::move(function)) {
        static std::mutex all_mutex;
        static LogSink* all = nullptr;
        const std::lock_guard<std::mutex> guard(all_mutex);
        next_ = std::exchange(all, this); // reachable, so that leak checkers know it is meant to stay
    }
    void close() noexcept {
        LogFunction closing;
        const std::lock_guard<std::mutex> guard(mutex_);
        closing.swap(function_);
    }

    std::mutex mutex_;
    LogFunction function_;
    LogSink* next_ = nullptr;
};

/// A base, to be destroyed after the instance's reference: the last messages are those of closing devices.
struct LogHolder {
    std::shared_ptr<LogSink> sink;
};

} // namespace detail

/// One application's view of all plugins. Costs milliseconds to create: make one, keep it. The log function is called as
/// long as an Instance that shares it lives. Destroying the last one waits for the work of all devices, unless other
/// objects keep the C instance alive.
class Instance : private detail::LogHolder, public Owner<qiao_instance, qiao_instance_retain, qiao_instance_release> {
  public:
    Instance() : Instance(InstanceOptions{}) {}
    explicit Instance(const InstanceOptions& options) : Instance(create(options)) {}
    /// Takes over the caller's reference.
    static Instance adopt(qiao_instance* owned) noexcept { return Instance(owned, nullptr); }

    Instance share() const { return Instance(retained(), sink); }

    /// The visible devices, in the order of the ledger. Borrowed from the instance.
    std::vector<Device> devices() const {
        uint32_t count = 0;
        check(qiao_instance_enumerate_devices(get(), 0, nullptr, &count));
        std::vector<qiao_device*> handles(count);
        check(qiao_instance_enumerate_devices(get(), count, handles.data(), &count));
        return {handles.begin(), handles.end()};
    }
    /// The first device that matches: "mock:0", "opencl:*", "mock"; "*" is the first of all. NotFoundError lists the ids
    /// that exist.
    Device find_device(const char* selector = "*") const {
        qiao_device* device = nullptr;
        check(qiao_instance_find_device(get(), selector, &device));
        return Device(device);
    }
    /// The ledger: every plugin that was considered, usable or not, in search order. Its strings live as long as the
    /// instance.
    std::vector<qiao_candidate> candidates() const {
        std::vector<qiao_candidate> all;
        for (uint32_t index = 0;; ++index) {
            qiao_candidate candidate = QIAO_CANDIDATE_INIT;
            const qiao_status status = qiao_instance_query_candidate(get(), index, &candidate);
            if (status == QIAO_ERROR_NOT_FOUND) return all;
            check(status);
            all.push_back(candidate);
        }
    }

  private:
    Instance(qiao_instance* owned, std::shared_ptr<detail::LogSink> shared) noexcept
        : LogHolder{std::move(shared)}, Owner(owned) {}

    static Instance create(const InstanceOptions& options) {
        std::shared_ptr<detail::LogSink> sink;
        qiao_instance_desc desc = QIAO_INSTANCE_DESC_INIT;
        desc.plugin_path = options.plugin_path;
        desc.visible_devices = options.visible_devices;
        desc.log_level = static_cast<qiao_log_level>(options.level);
        if (options.log) {
            sink = detail::LogSink::open(options.log);
            desc.log = detail::LogSink::callback;
            desc.log_user = sink.get();
        }
        qiao_instance* made = nullptr;
        check(qiao_instance_create(&desc, &made));
        return Instance(made, std::move(sink));
    }
};

} // namespace v0
} // namespace qiao

#endif
