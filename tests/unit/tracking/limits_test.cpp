/* No memory, no descriptors, small limits, descriptors that somebody closed: an error that says so, nothing lost, nothing leaked. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "support.h"

using namespace tracking;

namespace {

constexpr uint64_t kLarge = UINT64_C(1) << 30;

uint64_t address_space_bytes() {
    uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    return pages * kPage;
}

size_t open_descriptors() {
    const auto entries = std::filesystem::directory_iterator("/proc/self/fd");
    return static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

bool limit_to(__rlimit_resource resource, uint64_t value) {
    const rlimit limit{value, value};
    return setrlimit(resource, &limit) == 0;
}

/* How creating 1 GiB fails, in a child with room for `room_bytes` more of address space. */
std::string fails_with_room(Tracking tracking, uint64_t room_bytes, uint64_t alignment) {
    return in_child([=] {
        make(kPage, tracking); /* what the process needs once */
        const size_t descriptors = open_descriptors();
        const uint64_t mapped_bytes = address_space_bytes();
        if (!limit_to(RLIMIT_AS, mapped_bytes + room_bytes)) return std::string("no limit");
        std::unique_ptr<HostView> view;
        std::string text = told(HostView::create(kLarge, alignment, tracking, view));
        if (view != nullptr) text += "; made";
        view.reset();
        if (open_descriptors() != descriptors) text += "; a descriptor stays open";
        if (address_space_bytes() >= mapped_bytes + kLarge / 2) text += "; a mapping stays";
        return text;
    });
}

void close_all_descriptors() {
    for (int number = 3; number < 200; ++number) close(number);
}

}  // namespace

TEST_SUITE_BEGIN("limits");

TEST_CASE("no address space for the first, the second mapping and the copy") {
    const std::string wanted = "-5: mmap of 1073741824 bytes for shared memory failed: Cannot allocate memory; "
                               "allocate less, free memory, or raise the process's limit of address space (ulimit -v)";
    for (const Tracking tracking : all_trackings()) {
        CAPTURE(name(tracking));
        CHECK(fails_with_room(tracking, kLarge / 2, 1) == wanted);
        CHECK(fails_with_room(tracking, kLarge + kLarge / 2, 1) == wanted);
        CHECK(fails_with_room(tracking, 2 * kLarge + kLarge / 2, 1) == (tracking == Tracking::kCompare ? wanted : "OK; made"));
        CHECK(fails_with_room(tracking, 3 * kLarge + kLarge / 2, kChunk) == "OK; made");
    }
    CHECK(fails_with_room(Tracking::kFull, kLarge / 2, kChunk).starts_with("-5: mmap of 1075834880 bytes for shared memory failed"));
}

TEST_CASE("sizes beyond what there can be") {
    for (const uint64_t size : {UINT64_MAX, uint64_t{INT64_MAX}, UINT64_C(1) << 62}) {
        std::unique_ptr<HostView> view;
        CHECK(HostView::create(size, 1, Tracking::kFull, view) == QIAO_ERROR_OUT_OF_MEMORY);
        CHECK(qiao::last_error().message.find(std::to_string(size)) != std::string::npos);
        CHECK(view == nullptr);
    }
    std::unique_ptr<HostView> view;
    CHECK(HostView::create(UINT64_C(1) << 40, UINT64_C(1) << 63, Tracking::kFull, view) == QIAO_ERROR_OUT_OF_MEMORY);
}

TEST_CASE("a limit of file sizes is an error and no signal") {
    CHECK(in_child([] {
              std::unique_ptr<HostView> view;
              if (!limit_to(RLIMIT_FSIZE, 2 * kPage)) return std::string("no limit");
              const std::string fits = told(HostView::create(2 * kPage, 1, Tracking::kFull, view));
              return fits + "; " + told(HostView::create(2 * kPage + 1, 1, Tracking::kFull, view));
          }) == "OK; -5: memfd_create of 12288 bytes for shared memory failed: the process's limit of file sizes is 8192, "
                "and shared memory is a file; raise the limit (ulimit -f), or allocate less");
}

TEST_CASE("no descriptor left") {
    for (const Tracking tracking : all_trackings()) {
        const std::string text = in_child([=] {
            std::vector<std::unique_ptr<HostView>> views;
            make(kPage, tracking);
            if (!limit_to(RLIMIT_NOFILE, open_descriptors() + 5)) return std::string("no limit");
            for (;;) {
                std::unique_ptr<HostView> view;
                if (const qiao_status status = HostView::create(kPage, 1, tracking, view); status != QIAO_OK) return told(status);
                views.push_back(std::move(view));
            }
        });
        CHECK(text == "-5: memfd_create of 4096 bytes for shared memory failed: Too many open files; "
                      "raise the process's limit of open files (ulimit -n): each shared allocation is one");
    }
}

TEST_CASE("the application closes the library's descriptors") {
    for (const Tracking tracking : all_trackings()) {
        CAPTURE(name(tracking));
        const std::string text = in_child([=] {
            const auto view = make(2 * kPage, tracking);
            Card card(*view);
            view->app()[0] = std::byte{1};
            close_all_descriptors();
            view->app()[kPage] = std::byte{2};
            std::vector<Run> runs;
            if (const qiao_status status = view->take(0, 2 * kPage, false, runs); status != QIAO_OK) return told(status);
            card.receive(*view, runs);
            return std::string(card.has(*view) ? "equal" : "lost");
        });
        if (tracking == Tracking::kScan) {
            CHECK(text.starts_with("-12: host writes to shared memory cannot be found: PAGEMAP_SCAN on descriptor "));
            CHECK(text.find("failed: Bad file descriptor; close no descriptors of the library") != std::string::npos);
        } else {
            CHECK(text == "equal");
        }
    }
}

TEST_CASE("another file has taken the closed descriptor's number") {
    if (!can_scan()) return;
    const std::string text = in_child([] {
        const auto view = make(kPage, Tracking::kScan);
        for (int number = 3; number < 200; ++number) {
            if (number != view->descriptor() && fcntl(number, F_GETFD) != -1) dup2(view->descriptor(), number);
        }
        std::vector<Run> runs;
        std::unique_ptr<HostView> next;
        const std::string taken = told(view->take(0, kPage, true, runs));
        return taken + "; " + told(HostView::create(kPage, 1, Tracking::kScan, next));
    });
    CHECK(text.find("PAGEMAP_SCAN on descriptor ") != std::string::npos);
    CHECK(text.find("UFFDIO_REGISTER on descriptor ") != std::string::npos);
}

TEST_CASE("after a failure to find writes, none is lost once it works again") {
    if (!can_scan()) return;
    CHECK(in_child([] {
              const auto view = make(4 * kPage, Tracking::kScan);
              Card card(*view);
              card.sync(*view, true);
              view->app()[0] = std::byte{1};
              std::vector<int> kept, moved;
              for (int number = 3; number < 100; ++number) {
                  if (number == view->descriptor() || fcntl(number, F_GETFD) == -1) continue;
                  const int copy = fcntl(number, F_DUPFD_CLOEXEC, 100);
                  kept.push_back(number);
                  moved.push_back(copy);
                  close(number);
              }
              std::vector<Run> runs;
              const bool failed = view->take(0, 4 * kPage, true, runs) != QIAO_OK && runs.empty();
              view->app()[kPage] = std::byte{2};
              for (size_t index = 0; index < kept.size(); ++index) dup2(moved[index], kept[index]);
              card.sync(*view);
              return std::string(failed ? "failed, " : "worked, ") + (card.has(*view) ? "equal" : "lost");
          }) == "failed, equal");
}

TEST_SUITE_END();
