// Services are called from any thread, with whatever a plugin passes, and never throw into it.
#include "loader/host_services.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "loader/status.h"
#include "object/error.h"
#include "object/lock.h"

namespace qiao::loader {
namespace {

} // namespace

// The slots of the table. A nested struct, for the sake of access to the instance's sinks.
struct HostServices::Services {
    static HostServices& self(void* host) { return *static_cast<HostServices*>(host); }

    // Inside the instance while it lives; false once the table is muted.
    class Visit {
      public:
        explicit Visit(HostServices& services) : gate_(services.gate_) {
            open_ = (gate_.fetch_add(1, std::memory_order_acquire) & kClosed) == 0;
        }
        ~Visit() { gate_.fetch_sub(1, std::memory_order_release); }
        Visit(const Visit&) = delete;
        Visit& operator=(const Visit&) = delete;
        explicit operator bool() const { return open_; }

      private:
        std::atomic<uint32_t>& gate_;
        bool open_;
    };

    static void log(void* host, qiao_log_level level, const char* text) {
        HostServices& services = self(host);
        if (level < QIAO_LOG_LEVEL_ERROR || level > QIAO_LOG_LEVEL_DEBUG) level = QIAO_LOG_LEVEL_INFO;
        if (const Visit visit(services); visit) {
            services.sinks_.log(services.sinks_.context, level, services.plugin_id_.c_str(),
                                text == nullptr ? "" : text);
        }
    }

    // Once per notification, so without the gate: no queue, and so nothing to complete, is left when a table is muted.
    static void completed(void* host, uint64_t queue_token, uint64_t value, qiao_status status) {
        self(host).sinks_.completed(queue_token, value,
                                    status == QIAO_OK || is_error(status) ? status : QIAO_ERROR_PLUGIN);
    }

    static void device_lost(void* host, uint64_t device_token, const char* reason) {
        HostServices& services = self(host);
        if (const Visit visit(services); visit) {
            services.sinks_.device_lost(device_token, reason == nullptr ? "the plugin gave no reason" : reason);
        }
    }

    // The struct grows: an older plugin's ends early, and is zero from there on.
    static void error(void*, const qiao_plugin_error* error) {
        if (error == nullptr || error->struct_size < offsetof(qiao_plugin_error, line)) return;
        qiao_plugin_error whole{};
        memcpy(&whole, error, std::min(error->struct_size, sizeof whole));
        set_plugin_error(whole);
    }

    // Null if there is no memory, or if the alignment is not a power of two; 0 = that of malloc.
    static void* allocate(void*, size_t size, size_t alignment) {
        void* pointer = nullptr;
        if (alignment == 0) alignment = alignof(std::max_align_t);
        return posix_memalign(&pointer, std::max(alignment, sizeof(void*)), std::max<size_t>(size, 1)) == 0 ? pointer
                                                                                                            : nullptr;
    }

    static void release(void*, void* pointer) { free(pointer); }

    // A completion of microseconds is met spinning; one of milliseconds costs no processor, and is seen 200 us late at most.
    static qiao_status pause(void*, uint32_t* round, uint64_t deadline_ns) {
        constexpr uint32_t kSpins = 100, kYields = 20;
        constexpr uint64_t kShortest = 2'000, kLongest = 200'000;
        const uint64_t now = now_ns();
        if (now >= deadline_ns) return QIAO_TIMEOUT;
        const uint32_t done = *round;
        if (done < UINT32_MAX) *round = done + 1;
        if (done < kSpins) {
            for (int i = 0; i < 4; ++i)
                relax();
        } else if (done < kSpins + kYields) {
            sched_yield();
        } else {
            const uint32_t doublings = std::min((done - kSpins - kYields) / 8, 7u);
            const uint64_t sleep_ns = std::min({kShortest << doublings, kLongest, deadline_ns - now});
            const timespec duration{0, static_cast<long>(sleep_ns)};
            nanosleep(&duration, nullptr);
        }
        return QIAO_OK;
    }

    static uint64_t now(void*) { return now_ns(); }

    static const void* extension(void*, const char*) { return nullptr; }

    static void output(void* host, uint64_t device_token, const char* kernel, const char* text, size_t size) {
        HostServices& services = self(host);
        if (text == nullptr || size == 0) return;
        if (const Visit visit(services); visit)
            services.sinks_.output(services.sinks_.context, device_token, kernel == nullptr ? "" : kernel, {text, size});
    }
};

HostServices::HostServices(const Sinks& sinks, std::string plugin_id, std::string plugin_directory,
                           std::string manifest_text)
    : sinks_(sinks),
      plugin_id_(std::move(plugin_id)),
      plugin_directory_(std::move(plugin_directory)),
      manifest_text_(std::move(manifest_text)) {
    api_ = {sizeof(qiao_host_api),     QIAO_PLUGIN_ABI_MAJOR,  QIAO_PLUGIN_ABI_MINOR, this,
            plugin_directory_.c_str(), manifest_text_.c_str(), Services::log,         Services::completed,
            Services::device_lost,     Services::error,        Services::allocate,    Services::release,
            Services::pause,           Services::now,          Services::extension,  Services::output};
}

void HostServices::mute() {
    gate_.fetch_or(kClosed, std::memory_order_acq_rel);
    while ((gate_.load(std::memory_order_acquire) & ~kClosed) != 0)
        sched_yield();
}

void HostServices::abandon(std::unique_ptr<HostServices> services) {
    // A list, so that leak checkers see what is still reachable.
    static std::atomic<HostServices*> abandoned{nullptr};
    services->mute();
    HostServices* kept = services.release();
    kept->next_abandoned_ = abandoned.load(std::memory_order_relaxed);
    while (!abandoned.compare_exchange_weak(kept->next_abandoned_, kept, std::memory_order_release,
                                            std::memory_order_relaxed)) {
    }
}

} // namespace qiao::loader
