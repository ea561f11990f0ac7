#include "cli/package/report.h"

#include <nlohmann/json.hpp>

#include "cli/facts.h"
#include "cli/failure.h"
#include "cli/table.h"
#include "cli/terminal.h"

namespace qiao::cli {
namespace {

using Json = nlohmann::ordered_json;

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

Json variant_json(const package::Package& package, const package::Variant& variant) {
    Json json = {{"format", variant.format},
                 {"target", variant.target},
                 {"tool", variant.tool},
                 {"features", feature_names(variant.features)},
                 {"size_bytes", variant.size},
                 {"metadata", Json::object()}};
    for (size_t i = 0; i < variant.metadata.size(); ++i) {
        if (!variant.metadata[i].empty()) json["metadata"][package.kernels()[i].name] = variant.metadata[i];
    }
    return json;
}

std::string features_text(qiao_features features) {
    return features == 0 ? "" : "needs " + join(feature_names(features), ", ");
}

std::string variants_text(const package::Package& package) {
    Table table;
    for (size_t i = 0; i < package.variants().size(); ++i) {
        const package::Variant& variant = package.variants()[i];
        table.add_row({std::to_string(i), printable(variant.format), printable(variant.target.empty() ? "any" : variant.target),
                       variant.is_source ? "the source" : bytes_text(variant.size), features_text(variant.features),
                       printable(variant.tool)});
    }
    return table.text("  ");
}

std::string kernel_text(const package::Kernel& kernel) {
    std::string words = coloured(Colour::Title, printable(kernel.name)) + text(", argument block of ", kernel.block_size, " bytes");
    if (kernel.required_group[0] != 0)
        words += text(", group size ", kernel.required_group[0], ",", kernel.required_group[1], ",", kernel.required_group[2]);
    if (kernel.static_local_bytes != 0) words += text(", ", kernel.static_local_bytes, " bytes of local memory");
    if (kernel.features != 0) words += ", " + features_text(kernel.features);
    words += "\n";
    Table arguments;
    for (const package::Argument& argument : kernel.arguments) {
        arguments.add_row({text("offset ", argument.offset), text(argument.size, " bytes"), kind_name(argument.kind),
                           printable(argument.name), printable(argument.type)});
    }
    return words + arguments.text("  ");
}

} // namespace

std::string variant_text(const package::Variant& variant) {
    return variant.target.empty() ? variant.format : variant.format + " " + variant.target;
}

std::string package_text(const package::Package& package) {
    std::string words = coloured(Colour::Title, "Variants") + "\n" + variants_text(package);
    words += coloured(Colour::Title, "Source") + "\n  ";
    words += package.has_source() ? printable(package.source_name() + "  " + package.options()) : "none";
    words += "\n";
    for (const package::Kernel& kernel : package.kernels())
        words += kernel_text(kernel);
    return words;
}

Json package_json(const package::Package& package) {
    Json json = {{"schema", "qiao.package/1"}, {"size_bytes", package.bytes().size()}, {"source", nullptr},
                 {"kernels", Json::array()},   {"variants", Json::array()}};
    if (package.has_source()) json["source"] = {{"name", package.source_name()}, {"options", package.options()}};
    for (const package::Kernel& kernel : package.kernels())
        json["kernels"].push_back(kernel_json(kernel));
    for (const package::Variant& variant : package.variants())
        json["variants"].push_back(variant_json(package, variant));
    return json;
}

} // namespace qiao::cli
