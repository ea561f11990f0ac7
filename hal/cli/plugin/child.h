/* A child process of this command in which a plugin may crash or hang, and what it tells: one JSON object a line, flushed,
 * so that what was found before an end without notice is not lost. */
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace qiao::cli {

/* Runs `qiao <words>` and hands over each object it tells. Returns how the child ended: "" = in good order, else in words
 * ("it was killed by signal 11 (Segmentation fault)"). */
std::string run_child(const std::vector<std::string>& words, double timeout_s,
                      const std::function<void(const nlohmann::ordered_json&)>& receive);

/* The child's side. What the plugin prints itself goes to stderr. */
class Teller {
  public:
    Teller();
    /* What is about to be done: the last step told is where a crash happened. */
    void step(const std::string& what) const;
    void check(const std::string& name, const char* state, const std::string& detail, const std::string& remedy = "") const;
    /* Joins `facts` to what is known. */
    void facts(const nlohmann::ordered_json& facts) const;
    /* The last words, without which an end counts as one that the plugin caused. Returns the exit code. */
    int done() const;

  private:
    void tell(const nlohmann::ordered_json& object) const;
    int file_;
};

} // namespace qiao::cli
