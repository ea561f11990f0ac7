/* Child processes with a time limit: the tools run here, never in the application's process. Children get a small environment
 * of their own, so that the application's variables change neither what is compiled nor how. */
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

namespace qiao::compiler {

using Deadline = std::chrono::steady_clock::time_point;

struct Command {
    std::vector<std::string> words;       /* the program's path first */
    std::vector<std::string> environment; /* "NAME=value", besides PATH, LC_ALL, HOME and TMPDIR */
    std::string home;                     /* HOME and TMPDIR: where the tool may leave files */
    size_t output_limit = 4u << 20;       /* bytes kept of each stream; what comes after is dropped */
};

struct Finished {
    bool timed_out = false;
    int exit_code = -1; /* -1: never started, or ended by a signal */
    int signal = 0;
    std::string output;
    std::string errors; /* stderr; or why it never started */

    bool ok() const { return exit_code == 0 && !timed_out; }
};

/* Runs the commands and returns when all have ended or the deadline has passed; then nothing of them is left running. Results are
 * in the commands' order. At most one child for each processor runs at a time, whichever thread started it. */
std::vector<Finished> run(std::span<const Command> commands, Deadline deadline);
Finished run(const Command& command, Deadline deadline);

/* "exit status 2", "killed by signal 11" ... */
std::string describe_end(const Finished& finished);

} // namespace qiao::compiler
