/* `qiao cc`: the compiler library on the command line, for build systems: one package for every card, and what it depends on. */
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>

#include "cli/array/files.h"
#include "cli/command.h"
#include "cli/compiler.h"
#include "cli/embed.h"
#include "cli/facts.h"
#include "cli/failure.h"
#include "cli/source_options.h"
#include "cli/terminal.h"
#include "package/package.h"

namespace qiao::cli {
namespace {

using Json = nlohmann::ordered_json;

struct CompileOptions {
    std::string source;
    std::string output;
    SourceOptions compiler;
    std::string formats = "all";
    std::vector<std::string> required;
    std::string depfile;
    std::string embed;
    double time_limit_s = 0;
    bool no_cache = false;
    bool json = false;
};

constexpr const char* kCompileHelp = R"(
CompileOptions of OpenCL's compilers (-cl-std=CL2.0, -cl-fast-relaxed-math, -w, -Werror, ...) may stand anywhere.

Examples:
  qiao cc add.cl -o add.qpk                        every variant that the tools here can make
  qiao cc add.cl -o add.qpk --require ptx          the same, but without PTX it is an error
  qiao cc add.cl -o add.qpk --formats 'ptx;amdgcn' these only; the source is always there
)";

/* What one compilation gave. */
struct Compiled {
    std::span<const std::byte> package;
    qiao_compiler_result result;
    CompilerOutput output; /* owns what the others point to */
};

Compiled compile(const CompileOptions& options, const std::string& words) {
    CompilerLibrary compiler;
    std::string reason;
    if (!compiler.open(reason)) throw Failure(kExitFailed, reason, "install Qiao's compiler library");
    const std::vector<std::byte> source = read_file(options.source);
    const std::string required = join(options.required, ";");
    qiao_compiler_desc desc = QIAO_COMPILER_DESC_INIT;
    desc.source = reinterpret_cast<const char*>(source.data());
    desc.source_size = source.size();
    desc.source_name = options.source.c_str();
    desc.options = words.c_str();
    desc.formats = options.formats.c_str();
    desc.required_formats = required.c_str();
    desc.time_limit_ns = static_cast<uint64_t>(std::llround(options.time_limit_s * 1e9));
    desc.flags = QIAO_COMPILER_BEST_EFFORT | (options.no_cache ? QIAO_COMPILER_NO_CACHE : 0u);
    qiao_compiler_output* made = nullptr;
    const qiao_status status = compiler.compile(&desc, &made);
    Compiled compiled = {{}, QIAO_COMPILER_RESULT_INIT, compiler.own(made)};
    if (made == nullptr || compiler.query(made, &compiled.result) != QIAO_OK)
        throw Failure(kExitFailed, text("the compiler does not answer: ", status));
    if (status != QIAO_OK) {
        Failure failure(status == QIAO_ERROR_INVALID_ARGUMENT ? kExitUsage : kExitFailed, compiled.result.message,
                        compiled.result.remedy);
        failure.log = compiled.result.log;
        throw failure;
    }
    compiled.package = {static_cast<const std::byte*>(compiled.result.package), compiled.result.package_size};
    return compiled;
}

/* A path in a rule of make. */
std::string escaped(const std::string& path) {
    std::string words;
    for (const char c : std::filesystem::absolute(path).string()) {
        if (c == ' ' || c == '#' || c == '\\') words += '\\';
        words += c == '$' ? "$$" : std::string(1, c);
    }
    return words;
}

void write_depfile(const CompileOptions& options, const std::string& included) {
    std::string rule = escaped(options.output) + ": " + escaped(options.source);
    for (size_t begin = 0; begin < included.size();) {
        const size_t end = std::min(included.find('\n', begin), included.size());
        rule += " \\\n  " + escaped(included.substr(begin, end - begin));
        begin = end + 1;
    }
    rule += "\n";
    write_file(options.depfile, std::as_bytes(std::span(rule)));
}

Json report(const CompileOptions& options, const Compiled& compiled, const package::Package& package) {
    Json json = {{"schema", "qiao.cc/1"},
                 {"output", options.output},
                 {"size_bytes", compiled.package.size()},
                 {"from_cache", compiled.result.from_cache != 0},
                 {"log", compiled.result.log},
                 {"kernels", Json::array()},
                 {"variants", Json::array()}};
    for (const package::Kernel& kernel : package.kernels())
        json["kernels"].push_back(kernel.name);
    for (const package::Variant& variant : package.variants()) {
        json["variants"].push_back({{"format", variant.format},
                                    {"target", variant.target},
                                    {"tool", variant.tool},
                                    {"size_bytes", variant.size}});
    }
    return json;
}

int run(const CompileOptions& options, const std::vector<std::string>& further) {
    std::vector<std::string> words = further;
    words.push_back(options.compiler.words());
    const Compiled compiled = compile(options, join(words, " "));
    std::fputs(compiled.result.log, stderr); /* warnings, as build systems want to read them */
    const auto package = package::Package::open(compiled.package);
    if (!package) throw Failure(kExitFailed, package.error().message, package.error().remedy);
    write_file(options.output, compiled.package);
    if (!options.embed.empty()) write_embedded(options.embed, identifier_of(options.output), compiled.package);
    if (!options.depfile.empty()) write_depfile(options, compiled.result.included);
    if (options.json) print_json(report(options, compiled, *package));
    return kExitOk;
}

/* What CLI11 does not know: options of the compiler, else a mistake. */
std::vector<std::string> compiler_words(const CLI::App& app) {
    const std::vector<std::string> words = app.remaining();
    for (const std::string& word : words) {
        if (word.rfind("-cl-", 0) != 0 && word != "-w" && word != "-Werror")
            throw Failure(kExitUsage, text("'", word, "' was not expected"), "qiao cc --help");
    }
    return words;
}

} // namespace

Command cc_command(CLI::App& root) {
    CLI::App* app = root.add_subcommand("cc", "Compile OpenCL C to a kernel package for every card");
    auto options = std::make_shared<CompileOptions>();
    app->add_option("SOURCE", options->source, "OpenCL C")->required();
    app->add_option("-o,--out", options->output, "The package to write (.qpk)")->required()->type_name("FILE");
    app->add_option("--formats", options->formats, "Variants besides the source, with ; between (default: all)")->type_name("LIST");
    app->add_option("--require", options->required, "Fail if this variant cannot be made; repeatable")
        ->type_name("FORMAT")
        ->allow_extra_args(false);
    app->add_option("--depfile", options->depfile, "Write what the package depends on, as a rule of make")->type_name("FILE");
    app->add_option("--embed", options->embed, "Write the package as C source too: NAME_qpk.h and NAME_qpk.c")->type_name("DIR");
    options->compiler.add_to(*app);
    app->add_option("--time-limit", options->time_limit_s, "For all tools together (default: 120)")
        ->type_name("S")
        ->check(CLI::Range(0.001, 7200.0));
    app->add_flag("--no-cache", options->no_cache, "Neither look into the disk cache nor write to it");
    app->add_flag("--json", options->json, "Print JSON (schema qiao.cc/1)");
    app->allow_extras();
    app->footer(kCompileHelp);
    return {app, [options, app] { return run(*options, compiler_words(*app)); }};
}

} // namespace qiao::cli
