/* The child is this program once more, started anew: a fork alone would share the parent's library state. */
#include "cli/plugin/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cli/failure.h"

namespace qiao::cli {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr size_t kMaxTold = 4u << 20; /* bytes of all a child tells; a plugin's texts are bounded far below */

class Child {
  public:
    explicit Child(const std::vector<std::string>& words) {
        int pipe_files[2];
        if (pipe2(pipe_files, O_CLOEXEC) != 0) throw Failure(kExitFailed, text("no pipe: ", std::strerror(errno)));
        output_ = pipe_files[0];
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, pipe_files[1], STDOUT_FILENO);
        std::vector<std::string> owned = {"qiao"};
        owned.insert(owned.end(), words.begin(), words.end());
        std::vector<char*> arguments;
        for (std::string& word : owned)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        const int error = posix_spawn(&process_, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
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
        while (out_told.size() < kMaxTold) {
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

std::string end_text(int status) {
    if (WIFSIGNALED(status))
        return text("it was killed by signal ", WTERMSIG(status), " (", strsignal(WTERMSIG(status)), ")");
    return text("it ended the process with exit code ", WEXITSTATUS(status));
}

} // namespace

std::string run_child(const std::vector<std::string>& words, double timeout_s,
                      const std::function<void(const Json&)>& receive) {
    Child child(words);
    std::string told;
    const auto limit = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(timeout_s));
    const bool ended = child.read_until(Clock::now() + limit, told);
    const int status = child.finish(!ended);
    bool done = false;
    for (size_t begin = 0; begin < told.size();) {
        const size_t end = told.find('\n', begin);
        if (end == std::string::npos) break; /* cut off by the child's end */
        const Json object = Json::parse(told.substr(begin, end - begin), nullptr, false);
        if (object.is_object()) receive(object);
        done = done || object.contains("done");
        begin = end + 1;
    }
    if (!ended) return text("it did not end within ", timeout_s, " s");
    return done && WIFEXITED(status) && WEXITSTATUS(status) == kExitOk ? "" : end_text(status);
}

Teller::Teller() : file_(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)) {
    dup2(STDERR_FILENO, STDOUT_FILENO);
}

void Teller::step(const std::string& what) const {
    tell({{"step", what}});
}

void Teller::check(const std::string& name, const char* state, const std::string& detail,
                   const std::string& remedy) const {
    tell({{"check", {{"name", name}, {"state", state}, {"detail", detail}, {"remedy", remedy}}}});
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
