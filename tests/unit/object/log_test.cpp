// Levels, the application's callback, and standard error where there is none.
#include "object/log.h"

#include <sys/mman.h>

#include <mutex>

#include "../threads.h"

using qiao::Log;

namespace {

struct Line {
    qiao_log_level level;
    std::string source, text;
};

struct Lines {
    std::mutex mutex;
    std::vector<Line> list;

    static void callback(void* self, qiao_log_level level, const char* source, const char* text) {
        auto& lines = *static_cast<Lines*>(self);
        const std::lock_guard guard(lines.mutex);
        lines.list.push_back({level, source, text});
    }
};

// Standard error in a file of memory while it lives.
class CapturedStderr {
  public:
    CapturedStderr() : file_(memfd_create("stderr", 0)), original_(dup(STDERR_FILENO)) {
        REQUIRE(file_ >= 0);
        REQUIRE(original_ >= 0);
        std::fflush(stderr);
        dup2(file_, STDERR_FILENO);
    }
    ~CapturedStderr() {
        restore();
        close(file_);
    }
    std::string take() {
        restore();
        std::string text(static_cast<size_t>(lseek(file_, 0, SEEK_END)), '\0');
        REQUIRE(pread(file_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
        return text;
    }

  private:
    void restore() {
        if (original_ < 0) return;
        std::fflush(stderr);
        dup2(original_, STDERR_FILENO);
        close(original_);
        original_ = -1;
    }
    int file_, original_;
};

}  // namespace

TEST_SUITE_BEGIN("log");

TEST_CASE("a callback gets what is at or above its level") {
    Lines lines;
    const Log log(Lines::callback, &lines, QIAO_LOG_LEVEL_INFO);
    log.write(QIAO_LOG_LEVEL_ERROR, "core", "first");
    log.write(QIAO_LOG_LEVEL_INFO, "mock", "second");
    log.write(QIAO_LOG_LEVEL_DEBUG, "mock", "too fine");
    REQUIRE(lines.list.size() == 2);
    CHECK(lines.list[0].level == QIAO_LOG_LEVEL_ERROR);
    CHECK(lines.list[0].source == "core");
    CHECK(lines.list[0].text == "first");
    CHECK(lines.list[1].level == QIAO_LOG_LEVEL_INFO);
    CHECK(lines.list[1].source == "mock");
    CHECK(lines.list[1].text == "second");
}

TEST_CASE("levels that no header defines are dropped") {
    Lines lines;
    const Log log(Lines::callback, &lines, QIAO_LOG_LEVEL_DEBUG);
    log.write(0, "mock", "none");
    log.write(QIAO_LOG_LEVEL_DEBUG + 1, "mock", "beyond");
    log.write(UINT32_MAX, "mock", "far beyond");
    CHECK(lines.list.empty());
}

TEST_CASE("without a callback warnings and errors go to standard error, a line each") {
    const Log log;
    CapturedStderr captured;
    log.write(QIAO_LOG_LEVEL_ERROR, "core", "it broke");
    log.write(QIAO_LOG_LEVEL_WARNING, "mock", "100% odd");
    log.write(QIAO_LOG_LEVEL_INFO, "mock", "not shown");
    CHECK(captured.take() == "qiao: error: core: it broke\nqiao: warning: mock: 100% odd\n");
}

TEST_CASE("is written to by several threads at once") {
    Lines lines;
    const Log log(Lines::callback, &lines, QIAO_LOG_LEVEL_WARNING);
    test::on_threads(4, [&](int index) {
        for (int round = 0; round < 100; ++round) {
            log.write(QIAO_LOG_LEVEL_WARNING, "core", std::to_string(index).c_str());
        }
    });
    CHECK(lines.list.size() == 400);
}

TEST_SUITE_END();
