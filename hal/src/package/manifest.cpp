// Manifest bytes to structs and back. FlatBuffers' verifier vouches for the structure; everything it does not know (limits,
// names, argument layouts, that each variant has each kernel) is checked here.
#include "package/manifest.h"

#include <algorithm>
#include <cctype>
#include <unordered_map>
#include <unordered_set>

#include "manifest_generated.h"
#include "package/concat.h"

namespace qiao::package {
namespace {

constexpr uint32_t kMaxDepth = 8;
constexpr uint32_t kMaxTables = 1u << 18;
constexpr size_t kMaxKernelName = 255;

Error damaged(std::string what) {
    return {concat("the package's manifest is damaged: ", what), "get the package again, or build it again"};
}

bool is_identifier(std::string_view text) {
    const auto letter = [](unsigned char c) { return std::isalpha(c) || c == '_'; };
    return !text.empty() && text.size() <= kMaxKernelName && letter(text[0]) &&
           std::all_of(text.begin(), text.end(), [&](unsigned char c) { return letter(c) || std::isdigit(c); });
}

/* Reads one manifest. Strings are copied; since many fields may share one string in the buffer, the sum is bounded. */
class Parser {
  public:
    Result<Manifest> parse(std::span<const std::byte> bytes);

  private:
    bool text(const flatbuffers::String* from, std::string& to);
    bool kernel(const schema::Kernel& from);
    bool variant(const schema::Variant& from, const std::unordered_map<std::string, size_t>& indices);
    bool extent(const schema::Extent* from, Extent& to);
    bool fail(std::string what) {
        error_ = damaged(std::move(what));
        return false;
    }

    Manifest manifest_;
    Error error_;
    uint64_t text_bytes_ = 0;
};

bool Parser::text(const flatbuffers::String* from, std::string& to) {
    if (from == nullptr) return true;
    text_bytes_ += from->size();
    if (from->size() > kMaxStringBytes || text_bytes_ > kMaxManifestBytes)
        return fail(concat("a text of ", from->size(), " bytes (", text_bytes_, " in all), the limits are ",
                           kMaxStringBytes, " and ", kMaxManifestBytes));
    to.assign(from->data(), from->size());
    if (to.find('\0') != std::string::npos) return fail("a text contains a NUL byte");
    return true;
}

bool Parser::extent(const schema::Extent* from, Extent& to) {
    to.offset = from->offset();
    to.size = from->size();
    for (size_t i = 0; i < kDigestBytes; ++i)
        to.digest[i] = from->digest().bytes()->Get(static_cast<flatbuffers::uoffset_t>(i));
    return true;
}

bool Parser::kernel(const schema::Kernel& from) {
    Kernel to;
    if (!text(from.name(), to.name)) return false;
    if (!is_identifier(to.name)) return fail(concat("'", to.name.substr(0, 40), "' is not a kernel's name"));
    if (from.arguments() != nullptr) {
        if (from.arguments()->size() > QIAO_MAX_ARGUMENTS)
            return fail(concat("kernel '", to.name, "' has ", from.arguments()->size(), " arguments, the limit is ",
                               QIAO_MAX_ARGUMENTS));
        for (const schema::Argument* argument : *from.arguments()) {
            Argument& last = to.arguments.emplace_back();
            if (!text(argument->name(), last.name) || !text(argument->type(), last.type)) return false;
            last.kind = argument->kind();
            last.access = argument->access();
            last.offset = argument->offset();
            last.size = argument->size();
            last.alignment = argument->alignment();
        }
    }
    to.block_size = from.block_size();
    if (const schema::Group* group = from.required_group()) {
        to.required_group[0] = group->x();
        to.required_group[1] = group->y();
        to.required_group[2] = group->z();
    }
    to.static_local_bytes = from.static_local_bytes();
    to.features = from.features();
    if (auto error = check_kernel(to)) {
        error_ = *std::move(error);
        return false;
    }
    manifest_.kernels.push_back(std::move(to));
    return true;
}

bool Parser::variant(const schema::Variant& from, const std::unordered_map<std::string, size_t>& indices) {
    Variant to;
    if (!text(from.format(), to.format) || !text(from.target(), to.target) || !text(from.tool(), to.tool)) return false;
    if (to.format.empty()) return fail("a variant without a format");
    to.features = from.features();
    const std::string name = concat("variant '", to.format, "' for '", to.target, "'");
    if (from.kernels()->size() > indices.size())
        return fail(concat(name, " lists ", from.kernels()->size(), " kernels, the package has ", indices.size()));
    to.metadata.resize(indices.size());
    std::vector<bool> seen(indices.size());
    for (const schema::VariantKernel* entry : *from.kernels()) {
        std::string kernel_name;
        if (!text(entry->name(), kernel_name)) return false;
        const auto found = indices.find(kernel_name);
        if (found == indices.end()) return fail(concat(name, " has the unknown kernel '", kernel_name, "'"));
        if (seen[found->second]) return fail(concat(name, " has kernel '", kernel_name, "' twice"));
        seen[found->second] = true;
        if (!text(entry->metadata(), to.metadata[found->second])) return false;
    }
    for (const auto& [kernel_name, index] : indices) {
        if (!seen[index]) return fail(concat(name, " lacks kernel '", kernel_name, "'"));
    }
    Extent place;
    to.is_source = from.content() == nullptr;
    if (!to.is_source && !extent(from.content(), place)) return false;
    if (to.is_source && !manifest_.has_source) return fail(concat(name, " refers to a source that is not there"));
    to.size = place.size;
    manifest_.variants.push_back(std::move(to));
    manifest_.extents.push_back(place);
    return true;
}

Result<Manifest> Parser::parse(std::span<const std::byte> bytes) {
    // FlatBuffers reads scalars in place: the buffer has to be as aligned as its largest scalar.
    std::vector<uint64_t> aligned((bytes.size() + 7) / 8);
    if (!bytes.empty()) std::memcpy(aligned.data(), bytes.data(), bytes.size());
    const uint8_t* data = reinterpret_cast<const uint8_t*>(aligned.data());
    flatbuffers::Verifier verifier(data, bytes.size(), kMaxDepth, kMaxTables);
    if (!schema::VerifyManifestBuffer(verifier)) return damaged("its structure does not verify");
    const schema::Manifest* from = schema::GetManifest(data);
    if (from->kernels()->size() > kMaxKernels || from->variants()->size() > kMaxVariants)
        return damaged(concat("it lists ", from->kernels()->size(), " kernels and ", from->variants()->size(),
                              " variants, the limits are ", kMaxKernels, " and ", kMaxVariants));
    if (const schema::Source* source = from->source()) {
        manifest_.has_source = true;
        manifest_.source_size = source->size();
        if (!text(source->name(), manifest_.source_name) || !text(source->options(), manifest_.options) ||
            !extent(source->content(), manifest_.source))
            return error_;
        if (source->size() > kMaxSourceBytes)
            return damaged(concat("the source has ", source->size(), " bytes, the limit is ", kMaxSourceBytes));
    }
    std::unordered_map<std::string, size_t> indices;
    for (const schema::Kernel* entry : *from->kernels()) {
        if (!kernel(*entry)) return error_;
        const std::string& name = manifest_.kernels.back().name;
        if (!indices.emplace(name, indices.size()).second)
            return damaged(concat("two kernels are called '", name, "'"));
    }
    for (const schema::Variant* entry : *from->variants()) {
        if (!variant(*entry, indices)) return error_;
    }
    return std::move(manifest_);
}

schema::Extent extent_of(const Extent& extent) {
    schema::Digest digest{flatbuffers::span<const uint8_t, kDigestBytes>(extent.digest.data(), kDigestBytes)};
    return schema::Extent(extent.offset, extent.size, digest);
}

flatbuffers::Offset<schema::Kernel> write_kernel(flatbuffers::FlatBufferBuilder& builder, const Kernel& kernel) {
    std::vector<flatbuffers::Offset<schema::Argument>> arguments;
    for (const Argument& argument : kernel.arguments)
        arguments.push_back(schema::CreateArgument(builder, builder.CreateSharedString(argument.name),
                                                   builder.CreateSharedString(argument.type), argument.kind, argument.access,
                                                   argument.offset, argument.size, argument.alignment));
    const schema::Group group(kernel.required_group[0], kernel.required_group[1], kernel.required_group[2]);
    const auto name = builder.CreateSharedString(kernel.name);
    return schema::CreateKernel(builder, name, builder.CreateVector(arguments), kernel.block_size, &group,
                                kernel.static_local_bytes, kernel.features);
}

flatbuffers::Offset<schema::Variant> write_variant(flatbuffers::FlatBufferBuilder& builder, const Manifest& manifest,
                                                   size_t index) {
    const Variant& variant = manifest.variants[index];
    std::vector<flatbuffers::Offset<schema::VariantKernel>> kernels;
    for (size_t i = 0; i < manifest.kernels.size(); ++i) {
        const auto name = builder.CreateSharedString(manifest.kernels[i].name);
        const bool plain = variant.metadata.empty() || variant.metadata[i].empty();
        kernels.push_back(
            schema::CreateVariantKernel(builder, name, plain ? 0 : builder.CreateSharedString(variant.metadata[i])));
    }
    const auto format = builder.CreateSharedString(variant.format);
    const auto target = builder.CreateSharedString(variant.target);
    const auto tool = builder.CreateSharedString(variant.tool);
    const schema::Extent content = extent_of(manifest.extents[index]);
    return schema::CreateVariant(builder, format, target, tool, variant.features, builder.CreateVector(kernels),
                                 variant.is_source ? nullptr : &content);
}

} // namespace

Result<Manifest> parse_manifest(std::span<const std::byte> bytes) {
    return Parser().parse(bytes);
}

std::vector<std::byte> serialise_manifest(const Manifest& manifest) {
    flatbuffers::FlatBufferBuilder builder;
    std::vector<flatbuffers::Offset<schema::Kernel>> kernels;
    for (const Kernel& kernel : manifest.kernels)
        kernels.push_back(write_kernel(builder, kernel));
    std::vector<flatbuffers::Offset<schema::Variant>> variants;
    for (size_t i = 0; i < manifest.variants.size(); ++i)
        variants.push_back(write_variant(builder, manifest, i));
    flatbuffers::Offset<schema::Source> source;
    if (manifest.has_source) {
        const auto name = builder.CreateSharedString(manifest.source_name);
        const auto options = builder.CreateSharedString(manifest.options);
        const schema::Extent content = extent_of(manifest.source);
        source = schema::CreateSource(builder, name, options, manifest.source_size, &content);
    }
    const auto kernel_vector = builder.CreateVector(kernels);
    const auto variant_vector = builder.CreateVector(variants);
    schema::FinishManifestBuffer(builder, schema::CreateManifest(builder, kernel_vector, variant_vector, source));
    const std::byte* data = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
    return {data, data + builder.GetSize()};
}

} // namespace qiao::package
