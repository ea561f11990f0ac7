/* `qiao package make` and `qiao package show`: kernel packages, above all with variants that a vendor's own compiler made. */
#include <algorithm>
#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/array/files.h"
#include "cli/command.h"
#include "cli/compiler.h"
#include "cli/facts.h"
#include "cli/failure.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "package/package.h"

namespace qiao::cli {
namespace {

using Json = nlohmann::ordered_json;

/* ---------------------------------------------------------------- make */

struct MakeOptions {
    std::string source;
    std::string output;
    std::string formats;
    std::string compiler_options;
    std::vector<std::string> variants;
    std::string tool;
};

std::vector<std::byte> compile(const MakeOptions& options) {
    CompilerLibrary compiler;
    std::string reason;
    if (!compiler.open(reason)) throw Failure(kExitFailed, reason, "install Qiao's compiler library");
    const std::vector<std::byte> source = read_file(options.source);
    qiao_compiler_desc desc = QIAO_COMPILER_DESC_INIT;
    desc.source = reinterpret_cast<const char*>(source.data());
    desc.source_size = source.size();
    desc.source_name = options.source.c_str();
    desc.options = options.compiler_options.c_str();
    desc.formats = options.formats.c_str();
    qiao_compiler_output* made = nullptr;
    const qiao_status status = compiler.compile(&desc, &made);
    const CompilerOutput output = compiler.own(made);
    qiao_compiler_result result = QIAO_COMPILER_RESULT_INIT;
    if (made == nullptr || compiler.query(made, &result) != QIAO_OK)
        throw Failure(kExitFailed, text("the compiler does not answer: ", status));
    if (status != QIAO_OK) {
        Failure failure(kExitFailed, result.message, result.remedy);
        failure.log = result.log;
        throw failure;
    }
    const auto* bytes = static_cast<const std::byte*>(result.package);
    return {bytes, bytes + result.package_size};
}

/* "FORMAT=FILE" or "FORMAT:TARGET=FILE". */
void add_variant(package::Writer& writer, const std::string& written, const std::string& tool) {
    const size_t equals = written.find('=');
    const std::string head = written.substr(0, equals);
    const size_t colon = std::min(head.find(':'), head.size());
    package::Variant variant;
    variant.format = head.substr(0, colon);
    if (colon < head.size()) variant.target = head.substr(colon + 1);
    variant.tool = tool;
    if (equals == std::string::npos || variant.format.empty()) {
        throw Failure(kExitUsage, text("--variant ", written, " is not FORMAT=FILE or FORMAT:TARGET=FILE"),
                      "give the format that the device lists (`qiao info`), and the compiled file");
    }
    std::vector<std::byte> bytes = read_file(written.substr(equals + 1));
    if (bytes.empty()) throw Failure(kExitFailed, written.substr(equals + 1) + ": the file is empty");
    writer.add_variant(std::move(variant), std::move(bytes));
}

template <typename T>
T taken(package::Result<T> result, const std::string& file) {
    if (!result) throw Failure(kExitFailed, file + ": " + result.error().message, result.error().remedy);
    return *std::move(result);
}

int run_make(const MakeOptions& options) {
    const std::vector<std::byte> compiled = compile(options);
    const package::Package package = taken(package::Package::open(compiled), options.source);
    package::Writer writer = taken(package::Writer::from(package), options.source);
    for (const std::string& variant : options.variants)
        add_variant(writer, variant, options.tool);
    const std::vector<std::byte> bytes = taken(writer.finish(), options.output);
    write_file(options.output, bytes);
    print(text(printable(options.output), ": ", bytes.size(), " bytes, variants: ", writer.variants().size(), "\n"));
    return kExitOk;
}

Command make_command(CLI::App& root) {
    CLI::App* app = root.add_subcommand("make", "Compile OpenCL C to a package, and add variants of other compilers");
    auto options = std::make_shared<MakeOptions>();
    app->add_option("SOURCE", options->source, "OpenCL C: what the kernels and their arguments are")->required();
    app->add_option("-o,--out", options->output, "The package to write (.qpk)")->required()->type_name("FILE");
    app->add_option("--formats", options->formats, "What Qiao's compiler makes besides the source, ';' between: host-elf, spirv-vulkan, spirv-vulkan+offset")
        ->type_name("LIST");
    app->add_option("--variant", options->variants, "The same kernels, compiled by another compiler; repeatable")
        ->type_name("FORMAT[:TARGET]=FILE")
        ->allow_extra_args(false);
    app->add_option("--tool", options->tool, "Which compiler made the variants, with its version")->type_name("TEXT");
    app->add_option("--options", options->compiler_options, "Options of Qiao's compiler: -D, -I, ...")->type_name("TEXT");
    return {app, [options] { return run_make(*options); }};
}

/* ---------------------------------------------------------------- show */

struct ShowOptions {
    std::string file;
    bool json = false;
};

const char* kind_name(qiao_argument_kind kind) {
    return kind == QIAO_ARGUMENT_KIND_ADDRESS ? "address" : kind == QIAO_ARGUMENT_KIND_LOCAL ? "local" : "value";
}

Json kernel_json(const package::Kernel& kernel) {
    Json json = {{"name", kernel.name},
                 {"block_size", kernel.block_size},
                 {"required_group", kernel.required_group},
                 {"static_local_bytes", kernel.static_local_bytes},
                 {"features", feature_names(kernel.features)},
                 {"arguments", Json::array()}};
    for (const package::Argument& argument : kernel.arguments) {
        json["arguments"].push_back({{"name", argument.name},
                                     {"type", argument.type},
                                     {"kind", kind_name(argument.kind)},
                                     {"offset", argument.offset},
                                     {"size_bytes", argument.size}});
    }
    return json;
}

Json variant_json(const package::Variant& variant) {
    return {{"format", variant.format},
            {"target", variant.target},
            {"tool", variant.tool},
            {"features", feature_names(variant.features)},
            {"size_bytes", variant.size}};
}

std::string show_text(const package::Package& package) {
    std::string words = coloured(Colour::Title, "Variants") + "\n";
    Table variants;
    for (const package::Variant& variant : package.variants()) {
        variants.add_row({printable(variant.format), printable(variant.target.empty() ? "any" : variant.target),
                          variant.is_source ? "the source" : bytes_text(variant.size), printable(variant.tool)});
    }
    words += variants.text("  ");
    for (const package::Kernel& kernel : package.kernels()) {
        words += coloured(Colour::Title, printable(kernel.name)) + text(", argument block of ", kernel.block_size, " bytes\n");
        Table arguments;
        for (const package::Argument& argument : kernel.arguments) {
            arguments.add_row({text("offset ", argument.offset), text(argument.size, " bytes"), kind_name(argument.kind),
                               printable(argument.name), printable(argument.type)});
        }
        words += arguments.text("  ");
    }
    return words;
}

int run_show(const ShowOptions& options) {
    const std::vector<std::byte> bytes = read_file(options.file);
    const package::Package package = taken(package::Package::open(bytes), options.file);
    taken(package.verify(), options.file);
    if (!options.json) {
        print(show_text(package));
        return kExitOk;
    }
    Json json = {{"schema", "qiao.package/1"}, {"kernels", Json::array()}, {"variants", Json::array()}};
    for (const package::Kernel& kernel : package.kernels())
        json["kernels"].push_back(kernel_json(kernel));
    for (const package::Variant& variant : package.variants())
        json["variants"].push_back(variant_json(variant));
    print_json(json);
    return kExitOk;
}

Command show_command(CLI::App& root) {
    CLI::App* app = root.add_subcommand("show", "Show a package: its variants, its kernels and their argument blocks");
    auto options = std::make_shared<ShowOptions>();
    app->add_option("FILE", options->file, "The package")->required();
    app->add_flag("--json", options->json, "Print JSON (schema qiao.package/1)");
    return {app, [options] { return run_show(*options); }};
}

} // namespace

std::vector<Command> package_commands(CLI::App& root) {
    CLI::App* app = root.add_subcommand("package", "Make a kernel package, or show one");
    app->require_subcommand(1);
    return {make_command(*app), show_command(*app)};
}

} // namespace qiao::cli
