/* This command once more, in a process of its own, where it may crash or hang. */
#pragma once

#include <string>
#include <vector>

namespace qiao::cli {

struct ChildEnd {
    std::string output;       /* what it wrote to stdout, up to a limit */
    bool in_time = true;      /* else it was killed */
    int status = 0;           /* as waitpid gives it */
    double timeout_s = 0;

    bool good() const; /* it ended by itself with exit code 0 */
    std::string text() const; /* "it was killed by signal 11 (Segmentation fault)" */
};

/* What becomes of the child's stderr. */
enum class ChildErrors { Shared, Dropped };

/* Runs `qiao <words>` with the environment's variables and `more` ("NAME=VALUE", which go before them). */
ChildEnd run_command(const std::vector<std::string>& words, const std::vector<std::string>& more, double timeout_s, ChildErrors errors);

} // namespace qiao::cli
