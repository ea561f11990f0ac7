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

// Without host memory a text is left out, the failure itself is not.
void assign(std::string& target, std::string_view text) noexcept {
    try {
        target = text;
    } catch (...) {
        target.clear();
    }
}

// Null for a number that is no status.
const char* name_of(qiao_status status) {
    switch (status) {
#define QIAO_CASE(name, code, text) \
    case code:                      \
        return "QIAO_" #name;
        QIAO_STATUS_MAP(QIAO_CASE)
#undef QIAO_CASE
        default:
            return nullptr;
    }
}

// What a plugin did that said nothing itself.
std::string words_for(qiao_status status, const std::string& what) {
    const char* name = name_of(status);
    if (name == nullptr) return what + " returned " + std::to_string(status) + ", which is no status of Qiao";
    if (status >= 0) return what + " returned " + name + ", which is no error";
    return what + " failed with " + name + "; the plugin gave no reason";
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
        t_last = {};  // no text is better than an older failure's
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

void set_remedy(std::string_view text) noexcept {
    assign(t_last.remedy, text);
}

void set_object(std::string_view text) noexcept {
    assign(t_last.object, text);
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
    record.status = status < 0 && name_of(status) != nullptr ? status : QIAO_ERROR_PLUGIN;
    assign(record.plugin, plugin);
    if (!record.message.empty()) return record;
    try {
        record.message = words_for(status, what);
        if (record.remedy.empty()) record.remedy = "report this to the plugin's maker";
    } catch (...) {
        record.message.clear();
    }
    return record;
}

qiao_status fail_from_plugin(qiao_status status, const std::string& plugin, const std::string& what) noexcept {
    return fail(take_plugin_error(status, plugin, what));
}

}  // namespace qiao
