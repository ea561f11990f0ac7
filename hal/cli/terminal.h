/* Where output goes: data to stdout, diagnostics to stderr, colour only where a person reads. */
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/failure.h"

namespace qiao::cli {

enum class Colour { Good, Warning, Bad, Title, Quiet };

/* The text in colour if stdout (or stderr) is a terminal and NO_COLOR is not set; else the text. */
std::string coloured(Colour colour, const std::string& text);
std::string coloured_for_errors(Colour colour, const std::string& text);

/* Both throw Failure if stdout cannot take it (a full disk). */
void print(const std::string& text);
void print_json(const nlohmann::ordered_json& json);

/* As long as it lives, what others write to stdout comes out on stderr: kernels print, and some drivers do so by themselves. */
class StdoutToStderr {
  public:
    StdoutToStderr();
    ~StdoutToStderr();
    StdoutToStderr(const StdoutToStderr&) = delete;
    StdoutToStderr& operator=(const StdoutToStderr&) = delete;

  private:
    int stdout_; /* the real one; -1 = there is none */
};

/* To stderr: "qiao: ...". */
void note(const std::string& text);
void print_failure(const Failure& failure);

nlohmann::ordered_json failure_json(const Failure& failure);

} // namespace qiao::cli
