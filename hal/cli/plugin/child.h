/* A child process of this command in which a plugin may crash or hang, and what it tells: one JSON object a line, flushed,
 * so that what was found before an end without notice is not lost. */
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/child_process.h"

namespace qiao::cli {

/* How a child's work ended, as far as a plugin is to blame. */
struct TrialEnd {
    std::string wrong;  /* "" = it ended in good order, else how ("it was killed by signal 11 (Segmentation fault)") */
    bool hung = false;  /* it was ended, since the time was over */
    int exit_code = -1; /* -1 = none */
    std::string output; /* what stands on its stdout: the plugin's, where the verb tells */
};

/* A verb that takes --tell and has a Teller: hands over each object it tells. */
TrialEnd run_telling(ChildPlan plan, const std::function<void(const nlohmann::ordered_json&)>& receive);
/* Any verb: its end and its output. */
TrialEnd run_silent(const ChildPlan& plan);

/* The child's side. */
class Teller {
  public:
    /* The file that --tell names; by hand, without it, stdout, and then what the plugin prints goes to stderr. */
    explicit Teller(int file);
    /* What is about to be done: the last step told is where a crash happened. */
    void step(const std::string& what) const;
    void check(const std::string& name, const char* state, const std::string& detail, const std::string& remedy = "") const;
    /* The slot was entered, and did what it should. */
    void tried(const std::string& slot) const;
    /* Joins `facts` to what is known. */
    void facts(const nlohmann::ordered_json& facts) const;
    /* The last words, without which an end counts as one that the plugin caused. Returns the exit code. */
    int done() const;

  private:
    void tell(const nlohmann::ordered_json& object) const;
    int file_;
};

} // namespace qiao::cli
