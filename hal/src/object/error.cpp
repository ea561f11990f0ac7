// The record lives in thread-local storage; only failing calls touch it.
#include "object/error.h"

#include <cstdarg>
#include <cstdio>
#include <optional>
#include <utility>

namespace qiao {
namespace {

thread_local ErrorRecord t_last;
thread_local std::optional<ErrorRecord> t_from_plugin;

std::string text_or_empty(const char* text) {
    return text == nullptr ? std::string() : std::string(text);
}

bool is_known(qiao_status status) {
    switch (status) {
#define QIAO_CASE(name, code, text) case code:
        QIAO_STATUS_MAP(QIAO_CASE)
#undef QIAO_CASE
        return true;
        default:
            return false;
    }
}

}  // namespace

qiao_status fail(qiao_status status, const char* format, ...) noexcept {
    try {
        char text[1024];
        va_list arguments;
        va_start(arguments, format);
        std::vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        ErrorRecord record;
        record.status = status;
        record.message = text;
        t_last = std::move(record);
    } catch (...) {
        t_last.status = status;
    }
    return status;
}

qiao_status fail(ErrorRecord record) noexcept {
    t_last = std::move(record);
    return t_last.status;
}

const ErrorRecord& last_error() noexcept {
    return t_last;
}

void set_remedy(std::string text) noexcept {
    t_last.remedy = std::move(text);
}

void set_object(std::string text) noexcept {
    t_last.object = std::move(text);
}

void set_plugin_error(const qiao_plugin_error& error) noexcept {
    try {
        ErrorRecord record;
        record.status = error.status;
        record.line = error.line;
        record.vendor_code = error.vendor_code;
        record.message = text_or_empty(error.message);
        record.remedy = text_or_empty(error.remedy);
        record.vendor_text = text_or_empty(error.vendor_text);
        record.log = text_or_empty(error.log);
        t_from_plugin = std::move(record);
    } catch (...) {
        t_from_plugin.reset();
    }
}

void clear_plugin_error() noexcept {
    t_from_plugin.reset();
}

bool has_plugin_error() noexcept {
    return t_from_plugin.has_value();
}

ErrorRecord take_plugin_error(qiao_status status, const std::string& plugin, const std::string& what) noexcept {
    ErrorRecord record;
    if (t_from_plugin) {
        record = std::move(*t_from_plugin);
        t_from_plugin.reset();
    }
    record.status = status < 0 && is_known(status) ? status : QIAO_ERROR_PLUGIN;
    record.plugin = plugin;
    if (record.message.empty()) {
        record.message = what + " failed with status " + std::to_string(status) + "; the plugin gave no reason";
    }
    return record;
}

qiao_status fail_from_plugin(qiao_status status, const std::string& plugin, const std::string& what) noexcept {
    return fail(take_plugin_error(status, plugin, what));
}

}  // namespace qiao
