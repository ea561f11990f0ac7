// One line per message; a callback gets the text alone. What kernels print is not a message but data.
#include "object/log.h"

#include <algorithm>
#include <cstdio>
#include <new>

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

void Log::output(const char* source, std::string_view text) const noexcept try {
    if (callback_ == nullptr) {
        std::fwrite(text.data(), 1, text.size(), stdout);
        std::fflush(stdout);
        return;
    }
    std::string line;
    while (!text.empty()) {
        const size_t size = std::min(text.find('\n'), text.size() - 1) + 1;
        line.assign(text.substr(0, size));
        line.erase(std::remove(line.begin(), line.end(), '\0'), line.end()); // a C string cannot have them
        callback_(user_, QIAO_LOG_LEVEL_OUTPUT, source, line.c_str());
        text.remove_prefix(size);
    }
} catch (const std::bad_alloc&) { // of a line
}

}  // namespace qiao
