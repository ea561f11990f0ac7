// posix_spawn, two pipes and a deadline. Each child leads a process group of its own, so that what it started ends with it.
#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <semaphore>
#include <thread>
#include <utility>

#include "tools.h"

namespace qiao::compiler {
namespace {

/* How many children run at a time, of all threads of the process together: more only take turns. */
std::counting_semaphore<>& slots() {
    static auto* const all = new std::counting_semaphore<>(std::max(2u, std::thread::hardware_concurrency()));
    return *all; /* never destroyed: another thread may compile while the process exits */
}

/* Taken while a child runs. */
class Slot {
  public:
    /* Waits until `deadline`; nothing, if no slot came free. */
    static std::optional<Slot> take(Deadline deadline) {
        if (!slots().try_acquire_until(deadline)) return std::nullopt;
        return Slot();
    }
    Slot(Slot&& other) noexcept : taken_(std::exchange(other.taken_, false)) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
        if (taken_) slots().release();
    }

  private:
    Slot() = default;
    bool taken_ = true;
};

int milliseconds_until(Deadline deadline) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    return static_cast<int>(std::min<int64_t>(std::max<int64_t>(left.count() + 1, 0), 3600 * 1000));
}

/* A pipe's reading end, closed at its end or by the destructor. */
struct Stream {
    int file = -1;
    std::string* text = nullptr;
    size_t limit = 0;

    ~Stream() { shut(); }
    void shut() {
        if (file >= 0) close(file);
        file = -1;
    }
    void read_some() {
        std::array<char, 65536> buffer;
        const ssize_t got = read(file, buffer.data(), buffer.size());
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
        if (got <= 0) return shut();
        const size_t room = limit - std::min(limit, text->size());
        text->append(buffer.data(), std::min(static_cast<size_t>(got), room));
    }
};

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> result;
    for (std::string& word : words)
        result.push_back(word.data());
    result.push_back(nullptr);
    return result;
}

class Child {
  public:
    Child(const Command& command, Finished& finished, Deadline deadline, Slot slot)
        : finished_(finished), slot_(std::move(slot)) {
        output_.text = &finished.output;
        errors_.text = &finished.errors;
        output_.limit = errors_.limit = command.output_limit;
        start(command, deadline);
    }
    ~Child() {
        if (id_ > 0) end(true);
        if (handle_ >= 0) close(handle_);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    bool running() const { return id_ > 0; }
    bool streaming() const { return output_.file >= 0 || errors_.file >= 0; }
    void add_to(std::vector<pollfd>& waits, std::vector<Stream*>& streams) {
        for (Stream* stream : {&output_, &errors_}) {
            if (stream->file < 0) continue;
            waits.push_back({stream->file, POLLIN, 0});
            streams.push_back(stream);
        }
        // Both streams closed: all that is left is the end itself.
        if (!streaming() && handle_ >= 0) {
            waits.push_back({handle_, POLLIN, 0});
            streams.push_back(nullptr);
        }
    }
    /* Collects the child if it has ended. */
    void check() {
        if (streaming()) return;
        pollfd ended = {handle_, POLLIN, 0};
        if (handle_ < 0 || poll(&ended, 1, 0) == 1) end(false);
    }
    void expire() {
        finished_.timed_out = true;
        end(true);
    }

  private:
    void start(const Command& command, Deadline deadline);
    void end(bool by_force);

    Finished& finished_;
    Slot slot_;
    pid_t id_ = 0;
    int handle_ = -1; /* pidfd; -1 where the kernel has none: then the end is waited for after the streams */
    Stream output_, errors_;
};

void Child::start(const Command& command, Deadline deadline) {
    std::array<int, 2> output, errors;
    if (pipe2(output.data(), O_CLOEXEC) != 0) {
        finished_.errors = std::string("pipe: ") + std::strerror(errno);
        return;
    }
    output_.file = output[0];
    if (pipe2(errors.data(), O_CLOEXEC) != 0) {
        finished_.errors = std::string("pipe: ") + std::strerror(errno);
        close(output[1]);
        return output_.shut();
    }
    errors_.file = errors[0];

    std::vector<std::string> words = command.words;
    std::vector<std::string> environment = command.environment;
    environment.push_back("PATH=" + search_path());
    environment.push_back("LC_ALL=C");
    environment.push_back("HOME=" + command.home);
    environment.push_back("TMPDIR=" + command.home);

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors[1], STDERR_FILENO);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    const int failed = posix_spawn(&id_, words[0].c_str(), &actions, &attributes, pointers(words).data(),
                                   pointers(environment).data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(output[1]);
    close(errors[1]);
    if (failed != 0) {
        id_ = 0;
        finished_.errors = "cannot start '" + words[0] + "': " + std::strerror(failed);
        output_.shut();
        return errors_.shut();
    }
    handle_ = static_cast<int>(syscall(SYS_pidfd_open, id_, 0));
    // Should the application die, the child does not outlive it by more than its share of processor time.
    const auto seconds = static_cast<rlim_t>(milliseconds_until(deadline) / 1000 + 1);
    const rlimit limit = {seconds, seconds};
    prlimit(id_, RLIMIT_CPU, &limit, nullptr);
}

void Child::end(bool by_force) {
    if (by_force) kill(-id_, SIGKILL);
    int status = 0;
    pid_t got = 0;
    while ((got = waitpid(id_, &status, 0)) < 0 && errno == EINTR) {
    }
    if (!by_force) kill(-id_, SIGKILL); /* what it may have left behind */
    if (got < 0)
        finished_.errors += "the exit status is lost: the application ignores SIGCHLD or collects foreign children\n";
    else if (WIFEXITED(status))
        finished_.exit_code = WEXITSTATUS(status);
    else if (WIFSIGNALED(status))
        finished_.signal = WTERMSIG(status);
    id_ = 0;
    output_.shut();
    errors_.shut();
}

} // namespace

std::vector<Finished> run(std::span<const Command> commands, Deadline deadline) {
    std::vector<Finished> results(commands.size());
    std::vector<std::unique_ptr<Child>> children;
    size_t next = 0;
    for (;;) {
        std::erase_if(children, [](const auto& child) { return !child->running(); });
        while (next < commands.size()) {
            // Who runs a child already waits for that one, not for a slot.
            auto slot = Slot::take(children.empty() ? deadline : Deadline());
            if (!slot) break;
            children.push_back(std::make_unique<Child>(commands[next], results[next], deadline, *std::move(slot)));
            if (!children.back()->running()) children.pop_back();
            ++next;
        }
        if (children.empty() && next == commands.size()) return results;

        std::vector<pollfd> waits;
        std::vector<Stream*> streams;
        for (const auto& child : children)
            child->add_to(waits, streams);
        if (!waits.empty()) poll(waits.data(), waits.size(), milliseconds_until(deadline));
        for (size_t i = 0; i < waits.size(); ++i) {
            if (streams[i] != nullptr && waits[i].revents != 0) streams[i]->read_some();
        }
        const bool late = std::chrono::steady_clock::now() >= deadline;
        for (const auto& child : children) {
            child->check();
            if (late && child->running()) child->expire();
        }
        if (late) {
            for (; next < commands.size(); ++next)
                results[next].timed_out = true;
        }
    }
}

Finished run(const Command& command, Deadline deadline) {
    return run(std::span(&command, 1), deadline)[0];
}

std::string describe_end(const Finished& finished) {
    if (finished.timed_out) return "ran past the time limit";
    if (finished.signal != 0) return "was ended by signal " + std::to_string(finished.signal);
    if (finished.exit_code < 0) return "could not be run";
    return "ended with status " + std::to_string(finished.exit_code);
}

} // namespace qiao::compiler
