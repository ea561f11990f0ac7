// What became of a queue's last copies, by the value that each carries.
#pragma once

#include <array>
#include <mutex>
#include <optional>

#include "emulation/copy.h"

namespace qiao {

class CopyReports {
public:
    static constexpr size_t kKept = 256;

    struct Report {
        uint64_t value = 0;
        uint64_t total_bytes = 0;
        CopyProgress progress;
        qiao_status status = QIAO_NOT_READY;  // until it has ended; the plugin's queue does not say here that it has
        bool in_plugin = false;               // the plugin's queue makes it
    };

    // Submitted. Values rise.
    void add(const Report& report) {
        const std::lock_guard guard(mutex_);
        reports_[count_++ % kKept] = report;
    }
    // The copy goes another way than was thought.
    void change(uint64_t value, bool in_plugin, const CopyProgress& progress) {
        const std::lock_guard guard(mutex_);
        if (Report* report = at(value); report != nullptr) report->in_plugin = in_plugin, report->progress = progress;
    }
    // It has ended; does nothing if that was said before.
    void end(uint64_t value, qiao_status status, const CopyProgress& progress) {
        const std::lock_guard guard(mutex_);
        Report* report = at(value);
        if (report == nullptr || report->status != QIAO_NOT_READY) return;
        report->status = status, report->progress = progress, report->in_plugin = false;
    }
    // It was never begun.
    void cancel(uint64_t value) {
        const std::lock_guard guard(mutex_);
        if (Report* report = at(value); report != nullptr && report->status == QIAO_NOT_READY && !report->in_plugin) report->status = QIAO_ERROR_CANCELLED;
    }
    std::optional<Report> find(uint64_t value) {
        const std::lock_guard guard(mutex_);
        const Report* report = at(value);
        return report == nullptr ? std::nullopt : std::optional(*report);
    }

private:
    Report* at(uint64_t value) {
        for (Report& report : reports_) {
            if (report.value == value && value != 0) return &report;
        }
        return nullptr;
    }

    std::mutex mutex_;
    std::array<Report, kKept> reports_{};
    uint64_t count_ = 0;
};

}  // namespace qiao
