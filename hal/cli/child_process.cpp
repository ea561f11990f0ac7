/* The child is this program once more, started anew: a fork alone would share the parent's library state. */
#include "cli/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "cli/failure.h"

namespace qiao::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMaxOutput = 4u << 20; /* bytes; what commands print is bounded far below */

/* For execve: pointers into the strings, and a null. */
std::vector<char*> pointers_to(std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (std::string& word : words)
        pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return pointers;
}

std::vector<std::string> environment_with(const std::vector<std::string>& more) {
    std::vector<std::string> all = more;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string text = *variable;
        const std::string name = text.substr(0, text.find('=') + 1);
        if (std::none_of(more.begin(), more.end(), [&](const std::string& each) { return each.starts_with(name); })) all.push_back(text);
    }
    return all;
}

class Child {
  public:
    Child(std::vector<std::string> words, const std::vector<std::string>& more, ChildErrors errors) {
        int pipe_files[2];
        if (pipe2(pipe_files, O_CLOEXEC) != 0) throw Failure(kExitFailed, text("no pipe: ", std::strerror(errno)));
        output_ = pipe_files[0];
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, pipe_files[1], STDOUT_FILENO);
        if (errors == ChildErrors::Dropped) posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        words.insert(words.begin(), "qiao");
        std::vector<std::string> environment = environment_with(more);
        const int error = posix_spawn(&process_, "/proc/self/exe", &actions, nullptr, pointers_to(words).data(),
                                      pointers_to(environment).data());
        posix_spawn_file_actions_destroy(&actions);
        ::close(pipe_files[1]);
        if (error != 0) {
            ::close(output_);
            throw Failure(kExitFailed, text("a child process cannot be started: ", std::strerror(error)));
        }
    }
    ~Child() {
        ::close(output_);
        if (process_ != 0) finish(true);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    /* Up to the end of the output; false once the deadline has passed. */
    bool read_until(Clock::time_point deadline, std::string& out_told) const {
        while (out_told.size() < kMaxOutput) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
            pollfd wanted = {output_, POLLIN, 0};
            const int ready = left <= 0 ? 0 : poll(&wanted, 1, static_cast<int>(left));
            if (ready < 0 && errno == EINTR) continue;
            if (ready <= 0) return false;
            char buffer[16384];
            const ssize_t got = read(output_, buffer, sizeof buffer);
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) break;
            out_told.append(buffer, static_cast<size_t>(got));
        }
        return true;
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
    pid_t process_ = 0;
    int output_ = -1;
};

} // namespace

bool ChildEnd::good() const {
    return in_time && WIFEXITED(status) && WEXITSTATUS(status) == kExitOk;
}

std::string ChildEnd::text() const {
    if (!in_time) return cli::text("it did not end within ", timeout_s, " s");
    if (WIFSIGNALED(status))
        return cli::text("it was killed by signal ", WTERMSIG(status), " (", strsignal(WTERMSIG(status)), ")");
    return cli::text("it ended the process with exit code ", WEXITSTATUS(status));
}

ChildEnd run_command(const std::vector<std::string>& words, const std::vector<std::string>& more, double timeout_s,
                     ChildErrors errors) {
    Child child(words, more, errors);
    ChildEnd end;
    end.timeout_s = timeout_s;
    const auto limit = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(timeout_s));
    end.in_time = child.read_until(Clock::now() + limit, end.output);
    end.status = child.finish(!end.in_time);
    return end;
}

} // namespace qiao::cli
