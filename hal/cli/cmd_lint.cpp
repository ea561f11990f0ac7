/* `qiao lint`: a kernel run under a simulator that watches every access: races, accesses out of bounds, values that were never
 * written, work-items that do not meet at a barrier. */
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/failure.h"
#include "cli/lint/findings.h"
#include "cli/lint/simulate.h"
#include "cli/terminal.h"

namespace qiao::cli {
namespace {

struct LintOptions : KernelOptions {
    bool json = false;
};

constexpr const char* kLintExamples = R"(
Examples:
  qiao lint add.cl -a a=range:f32[8] -a b=const:1:f32[8] -a sum=zeros:f32[8] --grid 8
  qiao lint reduce.cl -a range:f32[64] -a zeros:f32[4] -a local:f32[16] --grid 64 --group 16

Findings go to stdout, exit code 5; none: exit code 0. Simulation is slow: small grids find the same defects.
)";

int run(const LintOptions& options) {
    const std::vector<Finding> findings = parse_findings(simulate(options));
    if (options.json) {
        nlohmann::ordered_json json = {{"schema", "qiao.lint/1"},
                                       {"file", options.file},
                                       {"result", findings.empty() ? "clean" : "findings"},
                                       {"findings", nlohmann::ordered_json::array()}};
        for (const Finding& finding : findings)
            json["findings"].push_back(finding_json(finding));
        print_json(json);
    } else {
        std::string words;
        for (const Finding& finding : findings)
            words += finding_text(finding) + "\n";
        print(words);
        if (findings.empty()) note(options.file + ": nothing found");
    }
    return findings.empty() ? kExitOk : kExitFindings;
}

} // namespace

Command lint_command(CLI::App& root) {
    CLI::App* app = root.add_subcommand("lint", "Look for races, wrong accesses and divergence: run a kernel under oclgrind");
    auto options = std::make_shared<LintOptions>();
    add_kernel_options(*app, *options);
    app->add_flag("--json", options->json, "Print JSON (schema qiao.lint/1)");
    app->footer(std::string(kSpecHelp) + kLintExamples);
    return {app, [options] { return run(*options); }};
}

} // namespace qiao::cli
