/* What the tests of tracking share: views, a card that is only what it was sent, children that report what went wrong. */
#pragma once

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "object/error.h"
#include "tracking/host_view.h"

namespace tracking {

using qiao::HostView;
using qiao::Run;
using qiao::Tracking;

constexpr uint64_t kPage = 4096, kChunk = UINT64_C(2) << 20;

/* As doctest prints it. */
inline std::string name(Tracking tracking) {
    return tracking_name(tracking);
}

inline bool can_scan() {
    qiao::TrackingChoice choice;
    REQUIRE(qiao::choose_tracking(choice) == QIAO_OK);
    if (choice.tracking != Tracking::kScan) MESSAGE("scan cannot be tested here: ", choice.reason);
    return choice.tracking == Tracking::kScan;
}

/* Each that this machine has; without scan, choice_test says that this is right. */
inline const std::vector<Tracking>& all_trackings() {
    static const std::vector<Tracking> all = can_scan() ? std::vector{Tracking::kScan, Tracking::kCompare, Tracking::kFull}
                                                        : std::vector{Tracking::kCompare, Tracking::kFull};
    return all;
}

inline std::unique_ptr<HostView> make(uint64_t size_bytes, Tracking tracking, uint64_t alignment = 1) {
    std::unique_ptr<HostView> view;
    INFO(qiao::last_error().message);
    REQUIRE(HostView::create(size_bytes, alignment, tracking, view) == QIAO_OK);
    return view;
}

inline std::vector<Run> take(HostView& view, bool rearm_all = false) {
    std::vector<Run> runs;
    REQUIRE(view.take(0, view.size_bytes(), rearm_all, runs) == QIAO_OK);
    return runs;
}

inline std::vector<Run> peek(const HostView& view) {
    std::vector<Run> runs;
    REQUIRE(view.peek(0, view.size_bytes(), runs) == QIAO_OK);
    return runs;
}

inline uint64_t bytes_of(const std::vector<Run>& runs) {
    uint64_t bytes = 0;
    for (const Run& run : runs) bytes += run.size_bytes;
    return bytes;
}

/* Has what it was sent. */
class Card {
  public:
    explicit Card(const HostView& view) : content_(view.size_bytes()) {}

    std::vector<Run> sync(HostView& view, uint64_t offset, uint64_t size_bytes, bool rearm_all = false) {
        std::vector<Run> runs;
        REQUIRE(view.take(offset, size_bytes, rearm_all, runs) == QIAO_OK);
        receive(view, runs);
        return runs;
    }
    std::vector<Run> sync(HostView& view, bool rearm_all = false) { return sync(view, 0, view.size_bytes(), rearm_all); }
    void receive(const HostView& view, const std::vector<Run>& runs) {
        for (const Run& run : runs) std::memcpy(content_.data() + run.offset, view.taken() + run.offset, run.size_bytes);
    }
    /* The card's results come back. */
    void write(HostView& view, uint64_t offset, uint64_t size_bytes, std::byte value) {
        std::memset(content_.data() + offset, static_cast<int>(value), size_bytes);
        std::memcpy(view.lib() + offset, content_.data() + offset, size_bytes);
        view.agreed(offset, size_bytes);
    }
    bool has(const HostView& view, uint64_t offset, uint64_t size_bytes) const {
        return std::memcmp(content_.data() + offset, view.app() + offset, size_bytes) == 0;
    }
    bool has(const HostView& view) const { return has(view, 0, view.size_bytes()); }

  private:
    std::vector<std::byte> content_;
};

/* What `body` returns in a forked child, which may spoil its own process. */
inline std::string in_child(const std::function<std::string()>& body) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO); /* a number that is not closed with the library's */
        std::string text;
        try {
            text = body();
        } catch (...) {
            text = "a requirement was not met";
        }
        _exit(write(STDOUT_FILENO, text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
    }
    close(ends[1]);
    std::string text;
    char part[512];
    for (ssize_t count; (count = read(ends[0], part, sizeof part)) > 0;) text.append(part, static_cast<size_t>(count));
    close(ends[0]);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(status == 0);
    return text;
}

/* "OK", or the failure that was recorded. */
inline std::string told(qiao_status status) {
    if (status == QIAO_OK) return "OK";
    return std::to_string(status) + ": " + qiao::last_error().message + "; " + qiao::last_error().remedy;
}

}  // namespace tracking
