// The writer of packages. Nothing in a package depends on when or where it was written: equal calls give equal bytes.
#include <zstd.h>

#include <algorithm>

#include "package/concat.h"
#include "package/manifest.h"

namespace qiao::package {
namespace {

constexpr int kCompressionLevel = 19;

Result<std::vector<std::byte>> compress(const std::string& text) {
    std::vector<std::byte> stored(ZSTD_compressBound(text.size()));
    const size_t size = ZSTD_compress(stored.data(), stored.size(), text.data(), text.size(), kCompressionLevel);
    if (ZSTD_isError(size))
        return Error{concat("the source cannot be compressed: ", ZSTD_getErrorName(size)), "report this as a defect"};
    stored.resize(size);
    return stored;
}

/* Offsets count from the package's start, which depends on the manifest's size, which does not depend on the offsets'
 * values: the manifest is written once with zeros to learn its size. */
void place(Manifest& manifest, const std::vector<Extent*>& extents) {
    uint64_t cursor = kHeadBytes + serialise_manifest(manifest).size();
    for (Extent* extent : extents) {
        extent->offset = align_up(cursor, kContentAlignment);
        cursor = extent->offset + extent->size;
    }
}

void write_head(std::span<std::byte> out, std::span<const std::byte> manifest) {
    std::memcpy(out.data(), kMagic.data(), kMagic.size());
    store_little_endian<uint32_t>(&out[8], kByteOrderMark);
    store_little_endian<uint32_t>(&out[12], kVersion);
    store_little_endian<uint64_t>(&out[16], out.size());
    store_little_endian<uint64_t>(&out[24], manifest.size());
    const Digest digest = sha256(manifest);
    std::memcpy(&out[32], digest.data(), digest.size());
    std::copy(manifest.begin(), manifest.end(), out.begin() + kHeadBytes);
}

} // namespace

Result<Writer> Writer::from(const Package& package) {
    Writer writer;
    if (package.has_source()) {
        auto text = package.source();
        if (!text) return text.error();
        writer.set_source(package.source_name(), *std::move(text), package.options());
    }
    writer.kernels_ = package.kernels();
    for (size_t i = 0; i < package.variants().size(); ++i) {
        const Variant& variant = package.variants()[i];
        if (variant.is_source) {
            writer.variants_.push_back(variant);
            writer.contents_.emplace_back();
            continue;
        }
        const auto content = package.read(i);
        if (!content) return content.error();
        writer.add_variant(variant, {content->bytes.begin(), content->bytes.end()});
    }
    return writer;
}

void Writer::set_source(std::string name, std::string text, std::string options) {
    source_name_ = std::move(name);
    source_ = std::move(text);
    options_ = std::move(options);
    has_source_ = true;
}

void Writer::add_variant(Variant variant, std::vector<std::byte> bytes) {
    variant.is_source = false;
    variant.size = bytes.size();
    variants_.push_back(std::move(variant));
    contents_.push_back(std::move(bytes));
}

void Writer::add_source_variant(qiao_features features, std::string_view format) {
    Variant variant;
    variant.format = format;
    variant.features = features;
    variant.is_source = true;
    variants_.push_back(std::move(variant));
    contents_.emplace_back();
}

void Writer::remove_variant(size_t index) {
    variants_.erase(variants_.begin() + static_cast<std::ptrdiff_t>(index));
    contents_.erase(contents_.begin() + static_cast<std::ptrdiff_t>(index));
}

void Writer::remove_source() {
    for (size_t i = variants_.size(); i-- > 0;) {
        if (variants_[i].is_source) remove_variant(i);
    }
    has_source_ = false;
    source_name_.clear();
    source_.clear();
    options_.clear();
}

Result<std::vector<std::byte>> Writer::finish() const {
    Manifest manifest;
    manifest.kernels = kernels_;
    manifest.variants = variants_;
    manifest.extents.resize(variants_.size());
    std::vector<Extent*> extents;
    std::vector<std::span<const std::byte>> contents;
    for (size_t i = 0; i < variants_.size(); ++i) {
        const Variant& variant = variants_[i];
        if (!variant.metadata.empty() && variant.metadata.size() != kernels_.size())
            return Error{concat("variant '", variant.format, "' has metadata for ", variant.metadata.size(),
                                " kernels, the package has ", kernels_.size()),
                         "give one text for each kernel, or none at all"};
        if (variant.is_source) continue;
        manifest.extents[i] = {0, contents_[i].size(), sha256(contents_[i])};
        extents.push_back(&manifest.extents[i]);
        contents.emplace_back(contents_[i]);
    }
    std::vector<std::byte> stored;
    if (has_source_) {
        auto compressed = compress(source_);
        if (!compressed) return compressed.error();
        stored = *std::move(compressed);
        manifest.has_source = true;
        manifest.source_name = source_name_;
        manifest.options = options_;
        manifest.source_size = source_.size();
        manifest.source = {0, stored.size(), sha256(stored)};
        extents.push_back(&manifest.source);
        contents.emplace_back(stored);
    }
    place(manifest, extents);
    const auto described = serialise_manifest(manifest);
    const uint64_t total =
        extents.empty() ? kHeadBytes + described.size() : extents.back()->offset + extents.back()->size;
    std::vector<std::byte> out(total);
    for (size_t i = 0; i < contents.size(); ++i)
        std::copy(contents[i].begin(), contents[i].end(),
                  out.begin() + static_cast<std::ptrdiff_t>(extents[i]->offset));
    write_head(out, described);
    const auto checked = Package::open(out);
    if (!checked) return checked.error();
    return out;
}

} // namespace qiao::package
