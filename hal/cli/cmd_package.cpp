/* `qiao package`: kernel packages looked at, changed and checked, above all with variants that a vendor's own compiler made. */
#include <CLI/CLI.hpp>
#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/array/files.h"
#include "cli/command.h"
#include "cli/failure.h"
#include "cli/package/edit.h"
#include "cli/package/report.h"
#include "cli/table.h"
#include "cli/terminal.h"

namespace qiao::cli {
namespace {

using Json = nlohmann::ordered_json;

/* What was written, for a person. */
void print_written(const std::string& path, const std::vector<std::byte>& bytes) {
    const package::Package written = taken(package::Package::open(bytes), path);
    print(text(printable(path), ": ", bytes.size(), " bytes, variants: ", written.variants().size(), "\n"));
}

/* ---------------------------------------------------------------- inspect */

struct FileOptions {
    std::string file;
    bool json = false;
};

int run_inspect(const FileOptions& options) {
    const package::Package package = open_package(options.file);
    if (options.json) {
        print_json(package_json(package));
    } else {
        print(package_text(package));
    }
    return kExitOk;
}

Command inspect_command(CLI::App& root) {
    CLI::App* app = root.add_subcommand("inspect", "Show a package: its variants, its kernels and their argument blocks");
    auto options = std::make_shared<FileOptions>();
    app->add_option("FILE", options->file, "The package")->required();
    app->add_flag("--json", options->json, "Print JSON (schema qiao.package/1)");
    return {app, [options] { return run_inspect(*options); }};
}

/* ---------------------------------------------------------------- add, strip */

/* The package that is read, and the one that is written: the same unless said otherwise. */
struct Files {
    std::string input;
    std::string output;

    void add_to(CLI::App& app) {
        app.add_option("PACKAGE", input, "The package")->required();
        app.add_option("-o,--out", output, "Write another package (default: replace PACKAGE)")->type_name("FILE");
    }
    const std::string& target() const { return output.empty() ? input : output; }
    void write(const std::vector<std::byte>& bytes) const {
        write_file(target(), bytes);
        print_written(target(), bytes);
    }
};

struct AddOptions {
    Files files;
    AddedVariant added;
};

int run_add(const AddOptions& options) {
    const EditLock lock(options.files.target());
    options.files.write(add_variant(open_package(options.files.input), options.added));
    return kExitOk;
}

Command add_command(CLI::App& root) {
    CLI::App* app = root.add_subcommand("add", "Add a variant: the package's kernels, compiled by another compiler");
    auto options = std::make_shared<AddOptions>();
    options->files.add_to(*app);
    AddedVariant& added = options->added;
    app->add_option("FILE", added.file, "The compiled code")->required();
    app->add_option("--format", added.format, "Its format, as devices list it (`qiao info`)")->required()->type_name("F");
    app->add_option("--target", added.target, "For which cards or processors, a pattern of the format (default: any)")->type_name("T");
    app->add_option("--tool", added.tool, "Which compiler made it, with its version")->type_name("TEXT");
    app->add_option("--features", added.features, "What a device must have, ',' between, or none (default: what the kernels need)")
        ->type_name("LIST");
    app->add_option("--metadata", added.metadata, "What the plugin must know of a kernel; repeatable")
        ->type_name("KERNEL=TEXT")
        ->allow_extra_args(false);
    return {app, [options] { return run_add(*options); }};
}

struct StripOptions {
    Files files;
    StrippedVariants stripped;
};

int run_strip(const StripOptions& options) {
    const StrippedVariants& stripped = options.stripped;
    if (!stripped.source && stripped.formats.empty() && stripped.indices.empty())
        throw Failure(kExitUsage, "nothing to take out was named", "give --source, --format F or --variant N");
    const EditLock lock(options.files.target());
    options.files.write(strip_variants(open_package(options.files.input), stripped));
    return kExitOk;
}

Command strip_command(CLI::App& root) {
    CLI::App* app = root.add_subcommand("strip", "Take variants or the source out of a package");
    auto options = std::make_shared<StripOptions>();
    options->files.add_to(*app);
    StrippedVariants& stripped = options->stripped;
    app->add_flag("--source", stripped.source, "The source, and the variants that are it");
    app->add_option("--format", stripped.formats, "All variants of a format; repeatable")->type_name("F")->allow_extra_args(false);
    app->add_option("--variant", stripped.indices, "The variant of this number (`inspect`); repeatable")
        ->type_name("N")
        ->allow_extra_args(false);
    return {app, [options] { return run_strip(*options); }};
}

/* ---------------------------------------------------------------- extract */

struct ExtractOptions {
    std::string file;
    std::string format;
    std::string target;
    std::string output;
};

/* The one variant that was named: which of several is not for us to choose. */
size_t find_variant(const package::Package& package, const ExtractOptions& options) {
    const std::vector<package::Variant>& variants = package.variants();
    std::vector<size_t> found;
    std::string all;
    for (size_t i = 0; i < variants.size(); ++i) {
        const bool fits = variants[i].format == options.format && (options.target.empty() || variants[i].target == options.target);
        if (fits) found.push_back(i);
        all += text(all.empty() ? "" : ", ", variant_text(variants[i]));
    }
    if (found.size() == 1) return found.front();
    const std::string wanted = options.target.empty() ? options.format : text(options.format, " for ", options.target);
    throw Failure(kExitUsage, text(options.file, ": there ", found.empty() ? "is no variant " : "are several variants ", wanted), text("name one of: ", all));
}

int run_extract(const ExtractOptions& options) {
    const package::Package package = open_package(options.file);
    const package::Blob blob = taken(package.read(find_variant(package, options)), options.file);
    write_file(options.output, blob.bytes);
    print(text(printable(options.output), ": ", blob.bytes.size(), " bytes\n"));
    return kExitOk;
}

Command extract_command(CLI::App& root) {
    CLI::App* app = root.add_subcommand("extract", "Write a variant's bytes to a file, for other tools");
    auto options = std::make_shared<ExtractOptions>();
    app->add_option("PACKAGE", options->file, "The package")->required();
    app->add_option("--format", options->format, "Its format (`inspect`)")->required()->type_name("F");
    app->add_option("--target", options->target, "Its target, where there are several of the format")->type_name("T");
    app->add_option("-o,--out", options->output, "The file")->required()->type_name("FILE");
    return {app, [options] { return run_extract(*options); }};
}

/* ---------------------------------------------------------------- verify */

int run_verify(const FileOptions& options) {
    const package::Package package = open_package(options.file);
    if (package.has_source()) (void)taken(package.source(), options.file);
    const std::vector<std::string> problems = verify_variants(package);
    Json json = {{"schema", "qiao.package.verify/1"}, {"file", options.file}, {"problem", false}, {"variants", Json::array()}};
    Table table;
    for (size_t i = 0; i < problems.size(); ++i) {
        const package::Variant& variant = package.variants()[i];
        const bool sound = problems[i].empty();
        if (!sound) json["problem"] = true;
        json["variants"].push_back({{"format", variant.format}, {"target", variant.target}, {"problem", problems[i]}});
        table.add_row({std::to_string(i), printable(variant_text(variant)), coloured(sound ? Colour::Good : Colour::Bad, sound ? "ok" : "problem"),
                       printable(problems[i])});
    }
    if (options.json) {
        print_json(json);
    } else {
        print(table.text());
    }
    return json["problem"] ? kExitFailed : kExitOk;
}

Command verify_command(CLI::App& root) {
    CLI::App* app = root.add_subcommand("verify", "Check a package: digests, and whether variants are what their formats say");
    auto options = std::make_shared<FileOptions>();
    app->add_option("FILE", options->file, "The package")->required();
    app->add_flag("--json", options->json, "Print JSON (schema qiao.package.verify/1)");
    return {app, [options] { return run_verify(*options); }};
}

} // namespace

std::vector<Command> package_commands(CLI::App& root) {
    CLI::App* app = root.add_subcommand("package", "Look at, change and check kernel packages");
    app->require_subcommand(1);
    return {inspect_command(*app), add_command(*app), strip_command(*app), extract_command(*app), verify_command(*app)};
}

} // namespace qiao::cli
