/* The child is this program once more, started anew: a fork alone would share the parent's library state. It tells through a
 * pipe; its stdout is a file in memory, where a plugin may print as much as it likes. */
#include "cli/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>

#include "cli/failure.h"

namespace qiao::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMaxOutput = 4u << 20; /* bytes; what commands print and plugins' texts are is bounded far below */

std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& more) {
    std::vector<std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view name = std::string_view(*entry).substr(0, std::string_view(*entry).find('='));
        if (std::none_of(more.begin(), more.end(), [name](const auto& one) { return one.first == name; })) all.emplace_back(*entry);
    }
    for (const auto& [name, value] : more)
        all.push_back(name + "=" + value);
    return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& one : texts)
        pointers.push_back(one.data());
    pointers.push_back(nullptr);
    return pointers;
}

class Child {
  public:
    explicit Child(const ChildPlan& plan) {
        int pipe_files[2];
        if (pipe2(pipe_files, O_CLOEXEC) != 0) throw Failure(kExitFailed, text("no pipe: ", std::strerror(errno)));
        told_ = pipe_files[0];
        output_ = memfd_create("stdout", MFD_CLOEXEC);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        /* In this order: the pipe's end may be the number that the other gets. */
        const int end = fcntl(pipe_files[1], F_DUPFD_CLOEXEC, kTellFile + 1);
        const int output = fcntl(output_, F_DUPFD_CLOEXEC, kTellFile + 1);
        posix_spawn_file_actions_adddup2(&actions, end, kTellFile);
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        if (plan.errors == ChildErrors::Dropped) posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        std::vector<std::string> words = {"qiao"};
        words.insert(words.end(), plan.words.begin(), plan.words.end());
        std::vector<std::string> environment = environment_with(plan.environment);
        const int error = posix_spawn(&process_, "/proc/self/exe", &actions, nullptr, pointers_to(words).data(), pointers_to(environment).data());
        posix_spawn_file_actions_destroy(&actions);
        for (const int file : {pipe_files[1], end, output})
            ::close(file);
        if (error != 0) {
            process_ = 0;
            shut();
            throw Failure(kExitFailed, text("a child process cannot be started: ", std::strerror(error)));
        }
    }
    ~Child() {
        shut();
        if (process_ != 0) finish(true);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    /* Up to the end of the output; false once the deadline has passed. */
    bool read_until(Clock::time_point deadline, std::string& out_told) const {
        while (out_told.size() < kMaxOutput) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
            pollfd wanted = {told_, POLLIN, 0};
            const int ready = left <= 0 ? 0 : poll(&wanted, 1, static_cast<int>(left));
            if (ready < 0 && errno == EINTR) continue;
            if (ready <= 0) return false;
            char buffer[16384];
            const ssize_t got = read(told_, buffer, sizeof buffer);
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) break;
            out_told.append(buffer, static_cast<size_t>(got));
        }
        return true;
    }
    std::string output() const {
        std::string bytes(kMaxOutput, '\0');
        const ssize_t got = pread(output_, bytes.data(), bytes.size(), 0);
        bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
        return bytes;
    }
    int finish(bool kill_it) {
        int status = 0;
        if (kill_it) ::kill(process_, SIGKILL);
        while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {
        }
        process_ = 0;
        return status;
    }

  private:
    void shut() const {
        ::close(told_);
        ::close(output_);
    }

    pid_t process_ = 0;
    int told_ = -1;
    int output_ = -1;
};

} // namespace

int ChildEnd::exit_code() const {
    return in_time && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string ChildEnd::text() const {
    if (!in_time) return cli::text("it did not end within ", timeout_s, " s");
    if (WIFSIGNALED(status))
        return cli::text("it was killed by signal ", WTERMSIG(status), " (", strsignal(WTERMSIG(status)), ")");
    return cli::text("it ended the process with exit code ", WEXITSTATUS(status));
}

ChildEnd run_child(const ChildPlan& plan) {
    Child child(plan);
    ChildEnd end;
    end.timeout_s = plan.timeout_s;
    const auto limit = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(plan.timeout_s));
    end.in_time = child.read_until(Clock::now() + limit, end.told);
    end.status = child.finish(!end.in_time);
    end.output = child.output();
    return end;
}

} // namespace qiao::cli
