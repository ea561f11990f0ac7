/* This command once more, in a process of its own, where it may crash or hang. */
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace qiao::cli {

/* What becomes of the child's stderr. */
enum class ChildErrors { Shared, Dropped };

struct ChildPlan {
    std::vector<std::string> words; /* of `qiao` */
    double timeout_s = 0;
    std::vector<std::pair<std::string, std::string>> environment = {}; /* names and values besides this process's own */
    ChildErrors errors = ChildErrors::Shared;
};

struct ChildEnd {
    std::string output;   /* what it wrote to stdout, up to a limit */
    std::string told;     /* what it wrote to kTellFile, up to a limit */
    bool in_time = true;  /* else it was killed */
    int status = 0;       /* as waitpid gives it */
    double timeout_s = 0;

    int exit_code() const;    /* -1 = it did not end by itself */
    std::string text() const; /* "it was killed by signal 11 (Segmentation fault)" */
};

/* A child's second way to tell something, apart from what a plugin may print. */
inline constexpr int kTellFile = 3;

ChildEnd run_child(const ChildPlan& plan);

} // namespace qiao::cli
