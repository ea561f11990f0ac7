/* Which tracking a process gets: by what it may do, and by QIAO_SHARED_TRACKING. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include "support.h"

using namespace tracking;
using qiao::choose_tracking;
using qiao::TrackingChoice;

namespace {

/* The variable for as long as this lives. */
class Variable {
  public:
    explicit Variable(const char* value) { setenv("QIAO_SHARED_TRACKING", value, 1); }
    ~Variable() { unsetenv("QIAO_SHARED_TRACKING"); }
};

/* As container runtimes do. */
bool deny_userfaultfd(int error) {
    sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog program = {sizeof code / sizeof *code, code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

std::string choice_text() {
    TrackingChoice choice;
    if (const qiao_status status = choose_tracking(choice); status != QIAO_OK) return told(status);
    return std::string(tracking_name(choice.tracking)) + ": " + choice.reason + "; " + choice.remedy;
}

std::string denied(int error, const std::function<std::string()>& body) {
    return in_child([&] { return deny_userfaultfd(error) ? body() : "no filter"; });
}

bool contains(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_SUITE_BEGIN("choice");

TEST_CASE("scan without a reason, or the next best with one") {
    TrackingChoice choice;
    REQUIRE(choose_tracking(choice) == QIAO_OK);
    CHECK((choice.tracking == Tracking::kScan) == choice.reason.empty());
    CHECK(choice.reason.empty() == choice.remedy.empty());
    CHECK(choice.tracking != Tracking::kFull);
    std::unique_ptr<HostView> view;
    CHECK((HostView::create(1, 1, Tracking::kScan, view) == QIAO_OK) == choice.reason.empty());
    CHECK(HostView::create(1, 1, choice.tracking, view) == QIAO_OK);
}

TEST_CASE("on a kernel without page scans the reason names it") {
    utsname name{};
    REQUIRE(uname(&name) == 0);
    int major = 0, minor = 0;
    REQUIRE(std::sscanf(name.release, "%d.%d", &major, &minor) == 2);
    TrackingChoice choice;
    REQUIRE(choose_tracking(choice) == QIAO_OK);
    INFO(choice.reason);
    if (major < 6 || (major == 6 && minor < 7)) CHECK(contains(choice.reason, name.release));
}

TEST_CASE("the variable forces one") {
    for (const char* word : {"compare", "full"}) {
        const Variable variable(word);
        TrackingChoice choice;
        REQUIRE(choose_tracking(choice) == QIAO_OK);
        CHECK(std::string(tracking_name(choice.tracking)) == word);
        CHECK(choice.reason == std::string("QIAO_SHARED_TRACKING=") + word + " asks for it");
        CHECK(choice.remedy == "unset QIAO_SHARED_TRACKING");
    }
    const std::string best = choice_text();
    for (const char* word : {"auto", ""}) {
        const Variable variable(word);
        CHECK(choice_text() == best);
    }
    if (can_scan()) {
        const Variable variable("scan");
        CHECK(choice_text() == "scan: ; ");
    }
}

TEST_CASE("an unknown word is refused with those that are known") {
    for (const char* word : {"Scan", "soft-dirty", " "}) {
        const Variable variable(word);
        TrackingChoice choice;
        CHECK(choose_tracking(choice) == QIAO_ERROR_INVALID_ARGUMENT);
        CHECK(qiao::last_error().message == std::string("QIAO_SHARED_TRACKING=") + word + " names no way of finding host writes");
        CHECK(contains(qiao::last_error().remedy, "auto, scan, compare or full"));
    }
}

TEST_CASE("a seccomp filter forbids userfaultfd: comparison, and the reason says so") {
    const std::string text = denied(EPERM, choice_text);
    CHECK(contains(text, "compare: the system call userfaultfd is forbidden to this process (Operation not permitted)"));
    CHECK(contains(text, "; allow userfaultfd in the container's seccomp profile"));
    CHECK(contains(denied(ENOSYS, choice_text), "or a seccomp filter hides it"));
    CHECK(contains(denied(EMFILE, choice_text), "ulimit -n"));
}

TEST_CASE("a seccomp filter forbids userfaultfd: scan cannot be forced") {
    const std::string text = denied(EPERM, [] {
        const Variable variable("scan");
        return choice_text();
    });
    CHECK(contains(text, "-4: QIAO_SHARED_TRACKING=scan is impossible: the system call userfaultfd is forbidden"));
    CHECK(contains(text, "; or unset QIAO_SHARED_TRACKING"));
    const std::string created = denied(EPERM, [] {
        std::unique_ptr<HostView> view;
        std::string both = told(HostView::create(4096, 1, Tracking::kScan, view));
        both += view == nullptr ? "; none; " : "; made; ";
        return both + told(HostView::create(4096, 1, Tracking::kCompare, view));
    });
    CHECK(contains(created, "-4: host writes cannot be found by scanning pages: the system call userfaultfd is forbidden"));
    CHECK(contains(created, "; none; OK"));
}

TEST_CASE("what was opened before a filter came goes on, and a child has its own") {
    if (!can_scan()) return;
    const auto finds_a_write = [] {
        auto view = make(kPage, Tracking::kScan);
        view->app()[5] = std::byte{1};
        return std::string(take(*view) == std::vector<Run>{{0, kPage}} ? "found" : "lost");
    };
    CHECK(finds_a_write() == "found");
    CHECK(in_child(finds_a_write) == "found");
    const auto before = make(kPage, Tracking::kScan);
    CHECK(in_child([&] {
              const std::string first = finds_a_write();
              return deny_userfaultfd(EPERM) ? first + ", " + finds_a_write() : "no filter";
          }) == "found, found");
}

TEST_SUITE_END();
