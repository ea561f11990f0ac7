/* What every plugin does with the host table: report a failure, write to the log, keep exceptions inside the plugin; and
 * the small conversions at the boundary. Header-only; knows the plugin ABI and no vendor. */
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "qiao/plugin.h"

namespace qiao::plugin {

/* The detail of a failure, as the user will read it. */
struct Failure {
    qiao_status status = QIAO_ERROR_PLUGIN;
    std::string message = {}; /* what was wrong, the value, the limit */
    std::string remedy = {};  /* what to do; "" = nothing to add */
    int64_t vendor_code = 0;
    std::string vendor_text = {}; /* the vendor's name of the code */
    std::string log = {};         /* a compiler's build log */
    uint32_t line = 0;            /* of the kernel's source */
};

/* The host table, usable before it is known and on any thread. Copies are cheap and refer to the same table. */
class Host {
  public:
    Host() = default;
    explicit Host(const qiao_host_api* api) : api_(api) {}

    const qiao_host_api* api() const noexcept { return api_; }

    /* Hands the detail to the core; returns the status, for `return host.fail({...});`. */
    qiao_status fail(const Failure& failure) const noexcept {
        if (api_ != nullptr && QIAO_PLUGIN_HAS(qiao_host_api, api_, error)) {
            qiao_plugin_error error = {};
            error.struct_size = sizeof(error);
            error.status = failure.status;
            error.line = failure.line;
            error.vendor_code = failure.vendor_code;
            error.vendor_text = failure.vendor_text.c_str();
            error.message = failure.message.c_str();
            error.remedy = failure.remedy.c_str();
            error.log = failure.log.c_str();
            api_->error(api_->host, &error);
        }
        return failure.status;
    }

    void log(qiao_log_level level, const std::string& text) const noexcept {
        if (api_ != nullptr && QIAO_PLUGIN_HAS(qiao_host_api, api_, log)) api_->log(api_->host, level, text.c_str());
    }

    void completed(uint64_t queue_token, uint64_t value, qiao_status status) const noexcept {
        if (api_ != nullptr && QIAO_PLUGIN_HAS(qiao_host_api, api_, completed)) {
            api_->completed(api_->host, queue_token, value, status);
        }
    }

    void device_lost(uint64_t device_token, const std::string& reason) const noexcept {
        if (api_ != nullptr && QIAO_PLUGIN_HAS(qiao_host_api, api_, device_lost)) {
            api_->device_lost(api_->host, device_token, reason.c_str());
        }
    }

    /* What a kernel printed; an older core drops it. */
    void output(uint64_t device_token, const char* kernel, std::string_view text) const noexcept {
        if (api_ != nullptr && QIAO_PLUGIN_HAS(qiao_host_api, api_, output))
            api_->output(api_->host, device_token, kernel, text.data(), text.size());
    }

  private:
    const qiao_host_api* api_ = nullptr;
};

/* Runs the body of a slot: no exception crosses the boundary. `slot` is named in the message. */
template <typename Body>
qiao_status guarded(const Host& host, const char* slot, Body&& body) noexcept {
    try {
        return body();
    } catch (const std::bad_alloc&) {
        return host.fail({.status = QIAO_ERROR_OUT_OF_MEMORY, .message = std::string(slot) + ": no host memory left"});
    } catch (const std::exception& exception) {
        return host.fail({.status = QIAO_ERROR_PLUGIN, .message = std::string(slot) + ": " + exception.what()});
    } catch (...) {
        return host.fail({.status = QIAO_ERROR_PLUGIN, .message = std::string(slot) + ": unknown exception"});
    }
}

/* The plugin's own object behind a pointer the core hands back. */
template <typename T>
T& object(void* handle) noexcept {
    return *static_cast<T*>(handle);
}

/* Into a fixed array of the ABI, cut at its end and always terminated. */
template <size_t size>
void copy_text(char (&target)[size], std::string_view text) noexcept {
    const size_t length = std::min(text.size(), size - 1);
    std::memcpy(target, text.data(), length);
    target[length] = '\0';
}

/* The same where the room is told at run time; no room, nothing written. */
inline void copy_text(char* target, size_t size, std::string_view text) noexcept {
    if (target == nullptr || size == 0) return;
    const size_t length = std::min(text.size(), size - 1);
    std::memcpy(target, text.data(), length);
    target[length] = '\0';
}

/* Writes a growing struct of the core's: `value` has its struct_size set by this function to what the core gave, and no
 * byte beyond that is touched. `next` is the caller's and stays. */
template <typename Struct>
void write_growing(Struct* out, Struct value) noexcept {
    value.struct_size = out->struct_size;
    value.next = out->next;
    std::memcpy(out, &value, std::min(sizeof(Struct), value.struct_size));
}

} // namespace qiao::plugin
