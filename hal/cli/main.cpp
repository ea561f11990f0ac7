/* The `qiao` command: reads the command line, runs one verb, turns what it throws into messages and an exit code. */
#include <CLI/CLI.hpp>
#include <cstdio>
#include <new>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/command.h"
#include "cli/failure.h"
#include "cli/terminal.h"
#include "qiao/qiao.h"

namespace qiao::cli {
namespace {

constexpr const char* kFooter = R"help(
Examples:
  qiao list                        which devices there are
  qiao doctor                      why one is missing, and what to do
  qiao info 'opencl:*' --json      all about some of them, for a program
  qiao run add.cl -a a=@a.npy -a b=@b.npy -a sum=zeros:f32[1024] --grid 1024 --out sum=sum.npy
  qiao cc add.cl -o add.qpk        one package for every card
  qiao lint add.cl -a a=range:f32[8] -a b=zeros:f32[8] -a sum=zeros:f32[8] --grid 8
  qiao why kernels.qpk             what each device would take of a package, and why
  qiao plugin new mycard           a project for a plugin of your own
  eval "$(qiao completion bash)"   complete verbs, options and devices with Tab

Exit codes:
  0  done
  1  a call failed, or a file could not be read or written
  2  the command line or an argument is wrong
  3  no device matches, or there is none
  4  results differ by more than the tolerance
  5  lint has found a defect in the kernel

Environment: QIAO_PLUGIN_PATH, QIAO_VISIBLE_DEVICES, QIAO_LOG; NO_COLOR.
Data goes to stdout, diagnostics to stderr.
)help";

std::string version() {
    uint32_t major = 0;
    uint32_t minor = 0;
    uint32_t patch = 0;
    qiao_query_version(&major, &minor, &patch);
    return text("qiao ", QIAO_VERSION_MAJOR, ".", QIAO_VERSION_MINOR, ".", QIAO_VERSION_PATCH, ", library ", major, ".",
                minor, ".", patch);
}

/* Programs read stdout also when something fails. */
int fail(const CLI::App* app, const Failure& failure) {
    print_failure(failure);
    const CLI::Option* json = app->get_option_no_throw("--json");
    if (json != nullptr && json->count() > 0) {
        nlohmann::ordered_json object = {{"schema", "qiao.error/1"}};
        object.update(failure_json(failure));
        print_json(object);
    }
    return failure.code;
}

int run_command_line(int argc, char** argv) {
    CLI::App app("One command for every accelerator that Qiao has a plugin for.", "qiao");
    app.require_subcommand(1);
    app.set_version_flag("--version", version, "Print the versions of this command and of the library");
    std::vector<Command> commands = {list_command(app), info_command(app), doctor_command(app), run_command(app),
                                     cc_command(app),   why_command(app),  lint_command(app)};
    for (const auto group : {package_commands, plugin_commands, cache_commands}) {
        for (Command& command : group(app))
            commands.push_back(std::move(command));
    }
    commands.push_back(completion_command(app));
    app.footer(kFooter); /* after the verbs: they would inherit it */
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& success) { /* --help, --version */
        return app.exit(success);
    } catch (const CLI::ParseError& error) {
        print_failure(Failure(kExitUsage, error.what(), "qiao --help, or qiao VERB --help"));
        return kExitUsage;
    }
    for (const Command& command : commands) {
        if (!command.app->parsed()) continue;
        try {
            return command.run();
        } catch (const Failure& failure) {
            return fail(command.app, failure);
        } catch (const std::bad_alloc&) {
            return fail(command.app, Failure(kExitFailed, "this machine has not enough memory"));
        }
    }
    return kExitUsage;
}

} // namespace
} // namespace qiao::cli

int main(int argc, char** argv) {
    try {
        return qiao::cli::run_command_line(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "qiao: %s\n", error.what());
        return qiao::cli::kExitFailed;
    }
}
