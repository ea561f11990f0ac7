// Sentences for answers that are no success.
#include "loader/ask.h"

#include "loader/status.h"

namespace qiao::loader {
namespace {

constexpr const char* kReport = "report this to the plugin's maker";

Problem failed(std::string reason, bool harmful = false) {
    return {QIAO_CANDIDATE_STATE_FAILED, std::move(reason), kReport, harmful};
}

} // namespace

ErrorRecord take_words(const std::string& plugin) {
    if (!has_plugin_error()) return {};
    ErrorRecord record = take_plugin_error(QIAO_ERROR_PLUGIN, plugin, plugin);
    record.message = printable(record.message, 1000);
    record.remedy = printable(record.remedy, 1000);
    if (record.vendor_code != 0 || !record.vendor_text.empty()) {
        const std::string name = record.vendor_text.empty() ? "the vendor's code" : printable(record.vendor_text);
        record.message += " (" + name + (record.vendor_code == 0 ? "" : " " + std::to_string(record.vendor_code)) + ")";
    }
    return record;
}

Problem explain(const Answer& answer, const std::string& plugin, const std::string& what) {
    if (!answer.thrown.empty()) return failed(what + " threw " + answer.thrown + "; none may leave a plugin", true);
    const char* name = status_name(answer.status);
    if (name == nullptr)
        return failed(what + " returned " + std::to_string(answer.status) + ", which is no status of Qiao", true);
    if (!is_error(answer.status)) {
        return failed(what + " returned " + name + ", which is neither success nor an error", true);
    }
    const ErrorRecord words = take_words(plugin);
    if (words.message.empty()) return failed(what + " failed with " + name + " and gave no reason");
    return {QIAO_CANDIDATE_STATE_FAILED, what + " failed: " + words.message, words.remedy};
}

} // namespace qiao::loader
