/* A verb of `qiao`: each cmd_<verb>.cpp adds its options to the command line and says what it does. */
#pragma once

#include <functional>
#include <vector>

namespace CLI {
class App;
}

namespace qiao::cli {

struct Command {
    CLI::App* app = nullptr;
    std::function<int()> run; /* the exit code; throws Failure */
};

Command list_command(CLI::App& root);
Command info_command(CLI::App& root);
Command doctor_command(CLI::App& root);
Command run_command(CLI::App& root);
Command why_command(CLI::App& root);
Command lint_command(CLI::App& root);
Command cc_command(CLI::App& root);
/* Verbs that have verbs themselves. */
std::vector<Command> package_commands(CLI::App& root);
std::vector<Command> plugin_commands(CLI::App& root);
std::vector<Command> cache_commands(CLI::App& root);
Command completion_command(CLI::App& root);

} // namespace qiao::cli
