// A child writes steps (letters) as it goes and a report at the end, to file 3. Its end is asked for, not waited for, so that
// one that hangs in a driver, where no signal reaches it, does not keep the application.
#include "loader/probe_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <mutex>

#include "loader/handshake.h"
#include "loader/probe_report.h"

extern char** environ;

namespace qiao::loader {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr size_t kMostChildren = 64;
constexpr size_t kMaxSteps = 64;
constexpr int kReportFile = 3;
constexpr milliseconds kAfterKill{1000};

const char* step_text(char step) {
    switch (static_cast<Step>(step)) {
        case Step::kLoad:
            return "while its library was loaded";
        case Step::kQuery:
            return "in qiao_plugin_query";
        case Step::kDevices:
            return "while it was asked for its devices";
        case Step::kClose:
            return "while it was closed";
    }
    return "before it was loaded";
}

std::string signal_text(int number) {
    switch (number) {
        case SIGSEGV:
            return "SIGSEGV";
        case SIGABRT:
            return "SIGABRT";
        case SIGBUS:
            return "SIGBUS";
        case SIGILL:
            return "SIGILL";
        case SIGFPE:
            return "SIGFPE";
        case SIGKILL:
            return "SIGKILL";
        case SIGTERM:
            return "SIGTERM";
        default:
            return "signal " + std::to_string(number);
    }
}

// Children that did not die at once; asked for again when something is probed the next time.
class Leftovers {
  public:
    void add(pid_t id) {
        const std::lock_guard lock(mutex_);
        ids_.push_back(id);
    }
    void reap() {
        const std::lock_guard lock(mutex_);
        std::erase_if(ids_, [](pid_t id) { return waitpid(id, nullptr, WNOHANG) != 0; });
    }

  private:
    std::mutex mutex_;
    std::vector<pid_t> ids_;
};

Leftovers& leftovers() {
    static Leftovers list;
    return list;
}

class Child {
  public:
    Child(const Manifest& manifest, milliseconds limit, ChildAnswer& answer) : limit_(limit), answer_(answer), manifest_(manifest) {}
    ~Child() {
        shut();
        if (id_ > 0) end_by_force();
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    // False with answer.unable.
    bool start(const std::string& program);
    int file() const { return file_; }
    void read_some();
    // True once there is an answer.
    bool check();
    Clock::time_point deadline() const { return deadline_; }

  private:
    enum class End { kNotYet, kExit, kSignal, kUnknown };

    End ask_end(int& out_code);
    void end_by_force();
    void shut() {
        if (file_ >= 0) ::close(file_);
        file_ = -1;
    }
    void judge(End end, int code);
    void condemn(std::string what, std::string remedy);
    std::string where() const { return step_text(steps_.empty() ? '\0' : steps_.back()); }

    const milliseconds limit_;
    ChildAnswer& answer_;
    const Manifest& manifest_;
    pid_t id_ = 0;
    int file_ = -1;
    Clock::time_point deadline_;
    std::string steps_, report_;
};

// Attributes and file actions of one spawn.
struct Spawn {
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;

    explicit Spawn(int report) {
        posix_spawnattr_init(&attributes);
        posix_spawn_file_actions_init(&actions);
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
        posix_spawn_file_actions_adddup2(&actions, report, kReportFile);
        for (const int file : {0, 1, 2})
            posix_spawn_file_actions_addopen(&actions, file, "/dev/null", file == 0 ? O_RDONLY : O_WRONLY, 0);
        posix_spawn_file_actions_addclosefrom_np(&actions, kReportFile + 1);
    }
    ~Spawn() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
    Spawn(const Spawn&) = delete;
    Spawn& operator=(const Spawn&) = delete;
};

bool Child::start(const std::string& program) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        answer_.unable = std::string("no pipe: ") + strerror(errno);
        return false;
    }
    file_ = ends[0];
    fcntl(file_, F_SETFL, O_NONBLOCK);
    std::string words[] = {program, probe_protocol(), manifest_.path, manifest_.text};
    char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
    const Spawn spawn(ends[1]);
    deadline_ = Clock::now() + limit_;
    const int error = posix_spawn(&id_, program.c_str(), &spawn.actions, &spawn.attributes, arguments, environ);
    ::close(ends[1]);
    if (error == 0) return true;
    id_ = 0;
    answer_.unable = program + " cannot be started: " + strerror(error);
    return false;
}

void Child::read_some() {
    char bytes[4096];
    while (file_ >= 0) {
        const ssize_t got = read(file_, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) return shut();
        for (ssize_t i = 0; i < got; ++i) {
            const bool reporting = !report_.empty() || bytes[i] == kReportBegin;
            if (!reporting && steps_.size() < kMaxSteps) steps_ += bytes[i];
            if (reporting && report_.size() <= kMaxReportBytes) report_ += bytes[i];
        }
    }
}

// The child is not collected while it is asked about, so that its process group cannot be another one's yet.
Child::End Child::ask_end(int& out_code) {
    siginfo_t info = {};
    if (waitid(P_PID, static_cast<id_t>(id_), &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        return errno == EINTR ? End::kNotYet : End::kUnknown; // the application collects all children
    if (info.si_pid == 0) return End::kNotYet;
    out_code = info.si_status;
    kill(-id_, SIGKILL); // what it started
    waitpid(id_, nullptr, 0);
    id_ = 0;
    return info.si_code == CLD_EXITED ? End::kExit : End::kSignal;
}

void Child::end_by_force() {
    kill(-id_, SIGKILL);
    kill(id_, SIGKILL);
    const auto until = Clock::now() + kAfterKill;
    while (waitpid(id_, nullptr, WNOHANG) == 0) {
        if (Clock::now() >= until) {
            leftovers().add(id_);
            break;
        }
        poll(nullptr, 0, 1);
    }
    id_ = 0;
}

bool Child::check() {
    int code = 0;
    const End end = ask_end(code);
    if (end != End::kNotYet) {
        read_some();
        id_ = 0;
        judge(end, code);
        return true;
    }
    if (Clock::now() < deadline_) return false;
    read_some();
    end_by_force();
    condemn("did not answer within " + std::to_string(limit_.count()) + " ms (" + where() + ")",
            "report this to the plugin's maker; if its cards only need longer, raise QIAO_PROBE_TIMEOUT_MS");
    return true;
}

void Child::judge(End end, int code) {
    if (decode_report(report_, answer_.harmful)) return;
    if (steps_.empty() && end != End::kSignal) {
        answer_.unable = "qiao-probe refused to work (exit code " + std::to_string(code) + ")";
        return;
    }
    const std::string report = "report this to the plugin's maker, with what `qiao plugin check " + manifest_.library +
                               "` shows; remove its manifest until then";
    answer_.lasting = end == End::kExit || (end == End::kSignal && code != SIGKILL && code != SIGTERM);
    if (end == End::kExit && !report_.empty()) {
        condemn("spoiled the report of the probe (" + where() + ")", report);
    } else if (end == End::kSignal) {
        condemn("crashed with " + signal_text(code) + " (" + where() + ")", report);
    } else if (end == End::kExit) {
        condemn("ended its process with exit code " + std::to_string(code) + " (" + where() + ")", report);
    } else {
        condemn("ended its process (" + where() + ")", report);
    }
}

void Child::condemn(std::string what, std::string remedy) {
    answer_.harmful = Problem{QIAO_CANDIDATE_STATE_FAILED, "probed in a process of its own it " + std::move(what) +
                              ", so it is not loaded", std::move(remedy), true};
}

// Sleeps until a child writes or ends, or the next one's time is over.
void wait_for(const std::vector<std::unique_ptr<Child>>& children) {
    std::vector<pollfd> files;
    milliseconds longest{50}; // a descendant may hold the pipe of a child that has ended
    const auto now = Clock::now();
    for (const auto& child : children) {
        if (child->file() >= 0) files.push_back({child->file(), POLLIN, 0});
        if (child->file() < 0) longest = milliseconds(1);
        longest = std::min(longest, std::chrono::ceil<milliseconds>(std::max(child->deadline() - now, Clock::duration::zero())));
    }
    poll(files.data(), files.size(), static_cast<int>(longest.count()));
}

} // namespace

std::vector<ChildAnswer> ask_in_children(const std::string& program, const std::vector<const Manifest*>& manifests,
                                         milliseconds limit) {
    leftovers().reap();
    std::vector<ChildAnswer> answers(manifests.size());
    std::vector<std::unique_ptr<Child>> running;
    for (size_t next = 0; next < manifests.size() || !running.empty();) {
        for (; next < manifests.size() && running.size() < kMostChildren; ++next) {
            auto child = std::make_unique<Child>(*manifests[next], limit, answers[next]);
            if (child->start(program)) running.push_back(std::move(child));
        }
        if (running.empty()) continue;
        wait_for(running);
        std::erase_if(running, [](const std::unique_ptr<Child>& child) {
            child->read_some();
            return child->check();
        });
    }
    return answers;
}

} // namespace qiao::loader
