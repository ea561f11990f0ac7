#include "image/maker.h"

#include <algorithm>
#include <charconv>

namespace fakes::image {
namespace {

namespace qpk = qiao::package;

/* The value of "key=value" in a variant's metadata, which has ';' between; "" = there is none. */
std::string value_of(const std::string& metadata, const std::string& key) {
    const std::string text = ";" + metadata + ";";
    const size_t at = text.find(";" + key + "=");
    if (at == text.npos) return "";
    const size_t begin = at + key.size() + 2;
    return text.substr(begin, text.find(';', begin) - begin);
}

uint32_t number_of(const std::string& text) {
    uint32_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

std::vector<uint32_t> numbers_of(std::string text) {
    std::vector<uint32_t> numbers;
    while (!text.empty()) {
        numbers.push_back(number_of(text));
        const size_t comma = text.find(',');
        text.erase(0, comma == text.npos ? text.size() : comma + 1);
    }
    return numbers;
}

Kernel describe(const qpk::Kernel& kernel, const std::string& metadata) {
    Kernel made;
    made.name = kernel.name;
    made.prints = (kernel.features & QIAO_FEATURE_PRINTF) != 0;
    std::copy_n(kernel.required_group, 3, made.group);
    const std::string private_bytes = value_of(metadata, "private"), fixed = value_of(metadata, "fixed");
    made.stack_known = !private_bytes.empty() && !fixed.empty();
    made.private_bytes = number_of(private_bytes);
    made.fixed_bytes = number_of(fixed);
    made.statics = numbers_of(value_of(metadata, "auto_local"));
    for (const qpk::Argument& argument : kernel.arguments) {
        const char kind = argument.kind == QIAO_ARGUMENT_KIND_ADDRESS ? 'a' : argument.kind == QIAO_ARGUMENT_KIND_LOCAL ? 'l' : 'v';
        made.arguments.push_back({kind, argument.size, argument.alignment});
    }
    return made;
}

/* What the plugin must know, as hal/docs/packages.md says it of "ptx" and "amdgcn". Places are aligned for the largest type there is. */
std::string metadata_of(const Kernel& kernel, const Style& style) {
    constexpr const char* kPlaceAlignment = "128";
    std::string locals;
    for (const Argument& argument : kernel.arguments) {
        if (argument.kind == 'l') locals += (locals.empty() ? "" : ",") + std::string(kPlaceAlignment);
    }
    std::string metadata = locals.empty() ? "" : "locals=" + locals;
    if (style.wide_local) return metadata;
    uint32_t statics = 0;
    for (const uint32_t size : kernel.statics)
        statics += (size + 127) / 128 * 128;
    return metadata + (metadata.empty() ? "" : ";") + "static=" + std::to_string(statics) + ";group=1024";
}

} // namespace

std::optional<std::vector<std::byte>> with_variant(const qpk::Package& package, const Style& style, std::string& reason) {
    const auto& variants = package.variants();
    const auto host = std::ranges::min_element(variants, {}, [](const qpk::Variant& variant) {
        return variant.format == "host-elf" ? variant.target : "~"; /* the lowest level is named first in the alphabet */
    });
    if (host == variants.end() || host->format != "host-elf") {
        reason = "the package has no variant of format host-elf";
        return {};
    }
    const auto code = package.read(static_cast<size_t>(host - variants.begin()));
    if (!code) {
        reason = code.error().message;
        return {};
    }
    Image image;
    image.target = std::string(style.family) + " " + style.target;
    image.host = code->bytes;
    qpk::Variant variant;
    variant.format = style.format;
    variant.target = style.target;
    variant.tool = "make_image";
    variant.features = host->features;
    for (size_t index = 0; index < package.kernels().size(); ++index) {
        const std::string& metadata = host->metadata.empty() ? std::string() : host->metadata[index];
        image.kernels.push_back(describe(package.kernels()[index], metadata));
        variant.metadata.push_back(metadata_of(image.kernels.back(), style));
    }
    auto writer = qpk::Writer::from(package);
    if (!writer) {
        reason = writer.error().message;
        return {};
    }
    writer->add_variant(std::move(variant), write(image, style));
    auto finished = writer->finish();
    if (!finished) {
        reason = finished.error().message;
        return {};
    }
    return *std::move(finished);
}

} // namespace fakes::image
