/* `qiao plugin new` and `qiao plugin check`: for those who make plugins. */
#include <memory>

#include "cli/command.h"
#include "cli/failure.h"
#include "cli/plugin/check.h"
#include "cli/plugin/create.h"
#include "cli/plugin/inspect.h"
#include "cli/table.h"
#include "cli/terminal.h"

namespace qiao::cli {
namespace {

struct NewOptions {
    std::string name;
    std::string folder;
};

int run_new(const NewOptions& options) {
    const std::filesystem::path target = options.folder.empty() ? options.name : options.folder;
    for (const std::filesystem::path& file : create_plugin(options.name, target))
        print("  " + printable((target / file).string()) + "\n");
    print(text("\nNext, in ", printable(target.string()),
               ":\n  cmake -S . -B build -DCMAKE_PREFIX_PATH=<where Qiao is installed>\n  cmake --build build\n"
               "  ctest --test-dir build --output-on-failure\n  qiao plugin check build/lib/qiao/qiao_plugin_",
               options.name, ".so\n"));
    return kExitOk;
}

Command new_command(CLI::App& plugin) {
    CLI::App* app = plugin.add_subcommand("new", "Make a project of its own from the skeleton plugin");
    auto options = std::make_shared<NewOptions>();
    app->add_option("NAME", options->name, "The plugin's id: 1 to 32 characters of a-z, 0-9, _ and -")->required();
    app->add_option("--dir", options->folder, "The project's folder, which must not exist (default: NAME)")->type_name("DIR");
    return {app, [options] { return run_new(*options); }};
}

struct CheckOptions {
    std::string file;
    std::string manifest;
    double timeout_s = 30;
    bool json = false;
};

int run_check(const CheckOptions& options) {
    const PluginReport report = check_plugin(options.file, options.manifest, options.timeout_s);
    if (options.json) {
        print_json(report_json(report));
    } else {
        print(report_text(report));
    }
    return report.problem() ? kExitFailed : kExitOk;
}

Command check_command(CLI::App& plugin) {
    CLI::App* app = plugin.add_subcommand("check", "Look at a built plugin: what is wrong, what is missing, what is next");
    auto options = std::make_shared<CheckOptions>();
    app->add_option("FILE", options->file, "The plugin's shared library")->required();
    app->add_option("--manifest", options->manifest, "Its manifest (default: the one beside it that names it)")->type_name("FILE");
    app->add_option("--timeout", options->timeout_s, "Give up on the plugin after so many seconds (default: 30)")
        ->type_name("S")
        ->check(CLI::Range(0.1, 3600.0));
    app->add_flag("--json", options->json, "Print JSON (schema qiao.plugin.check/1)");
    return {app, [options] { return run_check(*options); }};
}

/* What `check` starts child processes with; not for users, hence without a place in the help. */
Command inspect_command(CLI::App& plugin) {
    CLI::App* app = plugin.add_subcommand("inspect", "Load a plugin in this process")->group("");
    auto words = std::make_shared<std::pair<std::string, std::string>>();
    app->add_option("FILE", words->first)->required();
    app->add_option("MANIFEST", words->second);
    return {app, [words] { return inspect_plugin(words->first, words->second); }};
}

Command try_command(CLI::App& plugin) {
    CLI::App* app = plugin.add_subcommand("try", "Use a plugin in this process")->group("");
    auto words = std::make_shared<std::pair<std::string, std::string>>();
    app->add_option("MANIFEST", words->first)->required();
    app->add_option("ID", words->second)->required();
    return {app, [words] { return try_plugin(words->first, words->second); }};
}

} // namespace

std::vector<Command> plugin_commands(CLI::App& root) {
    CLI::App* plugin = root.add_subcommand("plugin", "Make a plugin, or check one");
    plugin->require_subcommand(1);
    return {new_command(*plugin), check_command(*plugin), inspect_command(*plugin), try_command(*plugin)};
}

} // namespace qiao::cli
