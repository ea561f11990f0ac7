/* `qiao plugin`: for those who make plugins. */
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/command.h"
#include "cli/failure.h"
#include "cli/plugin/check.h"
#include "cli/plugin/create.h"
#include "cli/plugin/inspect.h"
#include "cli/plugin/opening.h"
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
    CheckPlan plan;
    std::vector<std::string> arguments, references;
    std::string grid, group, offset, tolerance_ulp, tolerance_abs;
    bool json = false;
};

/* As `qiao run` takes them. */
std::vector<std::string> launch_words(const CheckOptions& options) {
    std::vector<std::string> words;
    const auto add = [&](const char* option, const std::string& value) {
        if (!value.empty()) words.insert(words.end(), {option, value});
    };
    for (const std::string& argument : options.arguments)
        add("-a", argument);
    for (const std::string& reference : options.references)
        add("--reference", reference);
    add("--grid", options.grid);
    add("--group", options.group);
    add("--offset", options.offset);
    add("--tolerance-ulp", options.tolerance_ulp);
    add("--tolerance-abs", options.tolerance_abs);
    return words;
}

int run_check(CheckOptions options) {
    options.plan.launch = launch_words(options);
    if (!options.plan.package.empty()) options.plan.package = std::filesystem::absolute(options.plan.package).string();
    const PluginReport report = check_plugin(options.plan);
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
    CheckPlan& plan = options->plan;
    app->add_option("FILE", plan.file, "The plugin's shared library")->required();
    app->add_option("--manifest", plan.manifest, "Its manifest (default: the one beside it that names it)")->type_name("FILE");
    app->add_option("--timeout", plan.timeout_s, "Give up on the plugin after so many seconds (default: 30)")
        ->type_name("S")
        ->check(CLI::Range(0.1, 3600.0));
    app->add_flag("--json", options->json, "Print JSON (schema qiao.plugin.check/1)");
    CLI::Option* package = app->add_option("--package", plan.package, "Load this kernel package (.qpk), which has a variant for the plugin")
                               ->type_name("FILE")
                               ->check(CLI::ExistingFile);
    CLI::Option* grid = app->add_option("--grid", options->grid, "Launch a kernel of it with this global size; what follows is as for `qiao run`")
                            ->type_name("X[,Y[,Z]]")
                            ->needs(package);
    const auto of_launch = [&](const char* name, auto& target, const char* what, const char* value) {
        app->add_option(name, target, what)->type_name(value)->allow_extra_args(false)->needs(grid);
    };
    of_launch("--kernel", plan.kernel, "The kernel; not needed if there is only one", "NAME");
    of_launch("-a,--arg", options->arguments, "An argument, by name, by number from 0, or the next one", "[NAME=]SPEC");
    of_launch("--group", options->group, "Work-group size", "X[,Y[,Z]]");
    of_launch("--offset", options->offset, "Global offset", "X[,Y[,Z]]");
    of_launch("--reference", options->references, "Compare an argument with this array", "NAME=SPEC");
    of_launch("--tolerance-ulp", options->tolerance_ulp, "Floating point may differ by N units in the last place", "N");
    of_launch("--tolerance-abs", options->tolerance_abs, "All types may differ by X, even if not by ULP", "X");
    return {app, [options] { return run_check(*options); }};
}

/* The pipe of the parent process; not for people, who see the same on stdout. */
void add_tell(CLI::App& app, int& file) {
    app.add_option("--tell", file)->group("");
}

Command inspect_library_command(CLI::App& plugin) {
    struct Words {
        std::string library, manifest;
        int tell = -1;
    };
    CLI::App* app = plugin.add_subcommand("inspect", "Load a plugin in this process, as `check` does in a child: for a debugger");
    auto words = std::make_shared<Words>();
    app->add_option("FILE", words->library, "The plugin's shared library")->required();
    app->add_option("MANIFEST", words->manifest, "The text that the plugin gets as its manifest");
    add_tell(*app, words->tell);
    return {app, [words] { return inspect_plugin(words->library, words->manifest, words->tell); }};
}

Command try_command(CLI::App& plugin) {
    CLI::App* app = plugin.add_subcommand("try", "Use a plugin in this process, as `check` does in a child: for a debugger");
    auto plan = std::make_shared<TrialPlan>();
    app->add_option("MANIFEST", plan->manifest, "The plugin's manifest")->required();
    app->add_option("ID", plan->id, "The plugin's id")->required();
    app->add_option("--package", plan->package, "Load this kernel package, too")->type_name("FILE");
    add_tell(*app, plan->tell);
    return {app, [plan] { return try_plugin(*plan); }};
}

Command open_command(CLI::App& plugin) {
    struct Words {
        std::string id;
        int tell = -1;
    };
    CLI::App* app = plugin.add_subcommand("open", "Open a device in this process, as `doctor --open` does in a child: for a debugger");
    auto words = std::make_shared<Words>();
    app->add_option("DEVICE", words->id, "The device's id")->required();
    add_tell(*app, words->tell);
    return {app, [words] { return open_device(words->id, words->tell); }};
}

} // namespace

std::vector<Command> plugin_commands(CLI::App& root) {
    CLI::App* plugin = root.add_subcommand("plugin", "Make a plugin, or check one");
    plugin->require_subcommand(1);
    return {new_command(*plugin), check_command(*plugin), inspect_library_command(*plugin), try_command(*plugin), open_command(*plugin)};
}

} // namespace qiao::cli
