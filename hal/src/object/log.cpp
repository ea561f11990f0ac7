// One line per message; a callback gets the text alone.
#include "object/log.h"

#include <cstdio>

namespace qiao {

void Log::write(qiao_log_level level, const char* source, const char* text) const noexcept {
    if (level == 0 || level > level_) return;
    if (callback_ != nullptr) {
        callback_(user_, level, source, text);
        return;
    }
    static constexpr const char* kNames[] = {"", "error", "warning", "info", "debug"};
    std::fprintf(stderr, "qiao: %s: %s: %s\n", kNames[level <= QIAO_LOG_LEVEL_DEBUG ? level : 0], source, text);
}

}  // namespace qiao
