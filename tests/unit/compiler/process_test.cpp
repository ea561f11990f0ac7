// Child processes: output, exit statuses, time limits, and that nothing is left running.
#include "process.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "support.h"

using namespace qiao::compiler;
using namespace std::chrono_literals;

namespace {

Command shell(const std::string& script, const TemporaryDirectory& home) {
    return {{"/bin/sh", "-c", script}, {"EXTRA=value"}, home.path()};
}

Deadline in(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

/* Waits for the end of any process, also one that nobody collects. */
bool ends(pid_t process, int timeout_ms) {
    const int handle = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
    if (handle < 0) return errno == ESRCH;
    pollfd ended = {handle, POLLIN, 0};
    const bool result = poll(&ended, 1, timeout_ms) == 1;
    close(handle);
    return result;
}

} // namespace

TEST_SUITE("compiler.process") {
    TEST_CASE("output, errors and status come back, the environment is the child's own") {
        const auto home = support::directory();
        const support::Environment foreign("QIAO_TEST_FOREIGN", "x");
        const auto done =
            run(shell("echo $EXTRA $QIAO_TEST_FOREIGN $HOME; echo bad >&2; read line; exit 3", home), in(60s));
        CHECK(done.output == "value " + home.path() + "\n");
        CHECK(done.errors == "bad\n");
        CHECK(done.exit_code == 3);
        CHECK_FALSE(done.ok());
        CHECK(describe_end(done) == "ended with status 3");
    }

    TEST_CASE("results keep the order of the commands") {
        const auto home = support::directory();
        std::vector<Command> commands;
        for (int i = 0; i < 7; ++i)
            commands.push_back(shell(concat("echo ", i), home));
        const auto done = run(commands, in(60s));
        REQUIRE(done.size() == 7);
        for (size_t i = 0; i < done.size(); ++i)
            CHECK(done[i].output == concat(i, "\n"));
    }

    TEST_CASE("a child past the deadline is ended, with what it started") {
        const auto home = support::directory();
        const std::string pid_file = home / "pid";
        // On a busy machine the shell may not come to its command before the first deadlines.
        std::string text;
        for (auto limit = 250ms; text.empty() && limit < 60s; limit *= 4) {
            const auto done = run(shell("sleep 1000 & echo $! > " + pid_file + "; wait", home), in(limit));
            CHECK(done.timed_out);
            CHECK(describe_end(done) == "ran past the time limit");
            read_file(pid_file, text);
        }
        REQUIRE_FALSE(text.empty());
        const auto process = static_cast<pid_t>(std::stol(text));
        CHECK(ends(process, 10000));
    }

    TEST_CASE("a child that closes its streams and stays is ended too") {
        const auto home = support::directory();
        CHECK(run(shell("exec >&- 2>&-; sleep 1000", home), in(300ms)).timed_out);
    }

    TEST_CASE("what a child leaves running does not hold up its end") {
        const auto home = support::directory();
        const auto done = run(shell("sleep 1000 >/dev/null 2>&1 & echo done", home), in(60s));
        CHECK(done.ok());
        CHECK(done.output == "done\n");
    }

    TEST_CASE("commands that could not start in time are reported as late") {
        const auto home = support::directory();
        std::vector<Command> commands(4, shell("sleep 1000", home));
        for (const Finished& each : run(commands, in(200ms)))
            CHECK(each.timed_out);
    }

    TEST_CASE("a program that is not there is a failure with its reason") {
        const auto home = support::directory();
        const auto done = run(Command{{"/nonexistent/program"}, {}, home.path()}, in(60s));
        CHECK(done.exit_code == -1);
        CHECK(support::contains(done.errors, "cannot start '/nonexistent/program': No such file or directory"));
    }

    TEST_CASE("a signal is reported") {
        const auto home = support::directory();
        const auto done = run(shell("kill -SEGV $$", home), in(60s));
        CHECK(done.signal == SIGSEGV);
        CHECK(describe_end(done) == "was ended by signal 11");
    }

    TEST_CASE("endless output is cut, not kept") {
        const auto home = support::directory();
        const auto done = run(shell("head -c 10000000 /dev/zero", home), in(60s));
        CHECK(done.ok());
        CHECK(done.output.size() == 4u << 20);
    }
}
