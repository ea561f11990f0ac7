/* The child is this program once more, started anew: a fork alone would share the parent's library state. It tells through a
 * pipe; its stdout is a file in memory, where a plugin may print as much as it likes. */
#include "cli/plugin/child.h"

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
#include <nlohmann/json.hpp>
#include <string_view>

#include "cli/failure.h"

namespace qiao::cli {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr size_t kMaxTold = 4u << 20; /* bytes of all a child tells; a plugin's texts are bounded far below */

constexpr int kTellFile = 3;
constexpr size_t kMaxOutput = 4u << 20;

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
        std::vector<std::string> words = {"qiao"};
        words.insert(words.end(), plan.words.begin(), plan.words.end());
        if (plan.tells) words.insert(words.end(), {"--tell", std::to_string(kTellFile)});
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
        while (out_told.size() < kMaxTold) {
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

std::string end_text(int status) {
    if (WIFSIGNALED(status))
        return text("it was killed by signal ", WTERMSIG(status), " (", strsignal(WTERMSIG(status)), ")");
    return text("it ended the process with exit code ", WEXITSTATUS(status));
}

} // namespace

ChildEnd run_child(const ChildPlan& plan, const std::function<void(const Json&)>& receive) {
    Child child(plan);
    std::string told;
    const auto limit = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(plan.timeout_s));
    ChildEnd end;
    end.hung = !child.read_until(Clock::now() + limit, told);
    const int status = child.finish(end.hung);
    end.output = child.output();
    bool done = !plan.tells;
    for (size_t begin = 0; begin < told.size();) {
        const size_t line = told.find('\n', begin);
        if (line == std::string::npos) break; /* cut off by the child's end */
        const Json object = Json::parse(told.substr(begin, line - begin), nullptr, false);
        if (object.is_object()) receive(object);
        done = done || object.contains("done");
        begin = line + 1;
    }
    if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
    if (end.hung) {
        end.wrong = text("it did not end within ", plan.timeout_s, " s");
    } else if (!done || end.exit_code < 0 || (plan.tells && end.exit_code != kExitOk)) {
        end.wrong = end_text(status);
    }
    return end;
}

Teller::Teller(int file) : file_(file) {
    if (file_ >= 0) {
        fcntl(file_, F_SETFD, FD_CLOEXEC);
        return;
    }
    file_ = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, kTellFile);
    dup2(STDERR_FILENO, STDOUT_FILENO);
}

void Teller::step(const std::string& what) const {
    tell({{"step", what}});
}

void Teller::check(const std::string& name, const char* state, const std::string& detail,
                   const std::string& remedy) const {
    tell({{"check", {{"name", name}, {"state", state}, {"detail", detail}, {"remedy", remedy}}}});
}

void Teller::tried(const std::string& slot) const {
    tell({{"tried", slot}});
}

void Teller::facts(const Json& facts) const {
    tell({{"facts", facts}});
}

int Teller::done() const {
    tell({{"done", true}});
    return kExitOk;
}

void Teller::tell(const Json& object) const {
    const std::string line = object.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
    for (size_t written = 0; written < line.size();) {
        const ssize_t now = write(file_, line.data() + written, line.size() - written);
        if (now < 0 && errno == EINTR) continue;
        if (now <= 0) return; /* the parent is gone, nobody listens */
        written += static_cast<size_t>(now);
    }
}

} // namespace qiao::cli
