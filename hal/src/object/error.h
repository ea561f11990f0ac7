// The thread's last-error record: written only on failure, read by qiao_error_query. Every failing path in the core ends
// in fail(), which returns the status so that it can stand in the return statement.
#pragma once

#include <string>

#include "qiao/plugin.h"
#include "qiao/status.h"

namespace qiao {

struct ErrorRecord {
    qiao_status status = QIAO_OK;
    uint32_t line = 0;
    int64_t vendor_code = 0;
    std::string message, remedy, object, plugin, vendor_text, log;
};

#define QIAO_RETURN_IF_ERROR(expression)                                   \
    do {                                                                   \
        if (const qiao_status status_ = (expression); status_ != QIAO_OK) { \
            return status_;                                                \
        }                                                                  \
    } while (false)

// Replaces the record of this thread. printf-like, so that values and limits are cheap to give.
[[gnu::format(printf, 2, 3)]] qiao_status fail(qiao_status status, const char* format, ...) noexcept;
qiao_status fail(ErrorRecord record) noexcept;
const ErrorRecord& last_error() noexcept;

// Add to the record that fail() has just written.
void set_remedy(std::string text) noexcept;
void set_object(std::string text) noexcept;

// What a plugin says through host->error stays pending until the core knows that the slot failed.
void set_plugin_error(const qiao_plugin_error& error) noexcept;
void clear_plugin_error() noexcept;
bool has_plugin_error() noexcept;
// The pending plugin error, as a record; `what` and the status where the plugin said nothing.
ErrorRecord take_plugin_error(qiao_status status, const std::string& plugin, const std::string& what) noexcept;
// The same as the thread's last error. Statuses that no plugin may return become QIAO_ERROR_PLUGIN.
qiao_status fail_from_plugin(qiao_status status, const std::string& plugin, const std::string& what) noexcept;

}  // namespace qiao
