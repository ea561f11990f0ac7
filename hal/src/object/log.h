// Where messages of one instance go: the application's callback, else stderr. Never on a hot path.
#pragma once

#include <string>
#include <string_view>

#include "qiao/instance.h"

namespace qiao {

class Log {
public:
    Log() = default;
    Log(qiao_log_callback callback, void* user, qiao_log_level level) : callback_(callback), user_(user), level_(level) {}

    void write(qiao_log_level level, const char* source, const char* text) const noexcept;
    // What a kernel printed: line by line to the callback, else as it is to stdout.
    void output(const char* source, std::string_view text) const noexcept;

private:
    qiao_log_callback callback_ = nullptr;
    void* user_ = nullptr;
    qiao_log_level level_ = QIAO_LOG_LEVEL_WARNING;
};

}  // namespace qiao
