// The reader of packages: head, bounds of every content, digests, the source's decompression. What the manifest says is
// manifest.cpp's.
#include "package/package.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "package/concat.h"
#include "package/manifest.h"

namespace qiao::package {
namespace {

constexpr const char* kGetAgain = "get the package again, or build it again";

Error damaged(std::string what) {
    return {concat("the package is damaged: ", what), kGetAgain};
}

/* The head's fields, checked against the number of bytes there are. */
Result<std::span<const std::byte>> manifest_bytes(std::span<const std::byte> bytes) {
    if (bytes.size() < kHeadBytes)
        return Error{concat("not a kernel package: ", bytes.size(), " bytes, the head alone has ", kHeadBytes),
                     "give a file made by the Qiao compiler (.qpk)"};
    if (std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0)
        return Error{"not a kernel package: it does not begin with the magic bytes",
                     "give a file made by the Qiao compiler (.qpk), copied without changing its line endings"};
    const uint32_t mark = load_little_endian<uint32_t>(&bytes[8]);
    if (mark == __builtin_bswap32(kByteOrderMark))
        return Error{"the package was written in big-endian order",
                     "packages are little-endian on every machine: "
                     "write it with Qiao's writer"};
    if (mark != kByteOrderMark) return damaged(concat("its byte order mark is ", mark));
    const uint32_t version = load_little_endian<uint32_t>(&bytes[12]);
    if (version != kVersion)
        return Error{concat("the package has format version ", version, ", this reader knows ", kVersion),
                     version > kVersion ? "update Qiao" : kGetAgain};
    const uint64_t total = load_little_endian<uint64_t>(&bytes[16]);
    if (total != bytes.size()) return damaged(concat("it has ", bytes.size(), " bytes and says that it has ", total));
    const uint64_t size = load_little_endian<uint64_t>(&bytes[24]);
    if (size > kMaxManifestBytes || size > bytes.size() - kHeadBytes)
        return damaged(concat("a manifest of ", size, " bytes, the limit is ",
                              std::min<uint64_t>(kMaxManifestBytes, bytes.size() - kHeadBytes)));
    const auto manifest = bytes.subspan(kHeadBytes, size);
    const Digest digest = sha256(manifest);
    if (std::memcmp(digest.data(), &bytes[32], digest.size()) != 0)
        return damaged("the manifest's digest is not the one in the head");
    return manifest;
}

bool all_zero(std::span<const std::byte> bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

/* Contents must tile what follows the manifest: aligned, no overlap, zeros between them, no byte that belongs to nothing. */
std::optional<Error> check_extents(const Manifest& manifest, uint64_t begin, std::span<const std::byte> bytes) {
    const uint64_t total = bytes.size();
    std::vector<Extent> extents;
    for (size_t i = 0; i < manifest.variants.size(); ++i) {
        if (!manifest.variants[i].is_source) extents.push_back(manifest.extents[i]);
    }
    if (manifest.has_source) extents.push_back(manifest.source);
    std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) { return a.offset < b.offset; });
    uint64_t end = begin;
    for (const Extent& extent : extents) {
        if (extent.offset % kContentAlignment != 0)
            return damaged(concat("a content at offset ", extent.offset, ", not aligned to ", kContentAlignment));
        if (extent.size == 0) return damaged(concat("an empty content at offset ", extent.offset));
        if (extent.offset < end)
            return damaged(concat("the content at offset ", extent.offset, " overlaps what ends at ", end));
        if (extent.offset > total || extent.size > total - extent.offset)
            return damaged(concat("the content at offset ", extent.offset, " of ", extent.size,
                                  " bytes leaves the package of ", total));
        if (extent.offset - end >= kContentAlignment || !all_zero(bytes.subspan(end, extent.offset - end)))
            return damaged(concat("unaccounted bytes from ", end, " to ", extent.offset));
        end = extent.offset + extent.size;
    }
    if (end != total) return damaged(concat("unaccounted bytes from ", end, " to ", total));
    return std::nullopt;
}

std::shared_ptr<const void> map(int file, uint64_t size) {
    void* address = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (address == MAP_FAILED) return nullptr;
    return {address, [size](const void* mapped) { munmap(const_cast<void*>(mapped), size); }};
}

} // namespace

Result<Package> Package::open(std::span<const std::byte> bytes) {
    const auto manifest = manifest_bytes(bytes);
    if (!manifest) return manifest.error();
    auto parsed = parse_manifest(*manifest);
    if (!parsed) return parsed.error();
    if (auto error = check_extents(*parsed, kHeadBytes + manifest->size(), bytes)) return *std::move(error);
    Package package;
    package.bytes_ = bytes;
    package.manifest_ = std::make_shared<const Manifest>(*std::move(parsed));
    return package;
}

Result<Package> Package::open_file(const std::string& path) {
    const auto failed = [&path](const char* what) {
        return Error{concat("cannot ", what, " '", path, "': ", std::strerror(errno)), "check the path and its rights"};
    };
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return failed("open");
    struct stat status = {};
    const bool known = fstat(file, &status) == 0;
    if (!known || !S_ISREG(status.st_mode) || status.st_size == 0) {
        const Error error = known ? Error{concat("'", path, "' is not a kernel package: ",
                                                 S_ISREG(status.st_mode) ? "it is empty" : "not a regular file"),
                                          "give a file made by the Qiao compiler (.qpk)"}
                                  : failed("read");
        close(file);
        return error;
    }
    const auto size = static_cast<uint64_t>(status.st_size);
    auto mapping = map(file, size);
    const Error error = failed("map");
    close(file);
    if (!mapping) return error;
    auto package = open({static_cast<const std::byte*>(mapping.get()), size});
    if (!package) return Error{concat("'", path, "': ", package.error().message), package.error().remedy};
    package->mapping_ = std::move(mapping);
    return package;
}

const std::vector<Kernel>& Package::kernels() const {
    return manifest_->kernels;
}
const std::vector<Variant>& Package::variants() const {
    return manifest_->variants;
}
bool Package::has_source() const {
    return manifest_->has_source;
}
const std::string& Package::source_name() const {
    return manifest_->source_name;
}
const std::string& Package::options() const {
    return manifest_->options;
}

std::string Package::options_of(size_t index) const {
    const Variant& variant = manifest_->variants[index];
    if (!variant.is_source || !variant.format.ends_with(kOffsetSuffix)) return options();
    return concat(options(), options().empty() ? "" : " ", kOffsetOption);
}

const Kernel* Package::find_kernel(std::string_view name) const {
    for (const Kernel& kernel : manifest_->kernels) {
        if (kernel.name == name) return &kernel;
    }
    return nullptr;
}

Result<Blob> Package::read(size_t index) const {
    const Variant& variant = manifest_->variants[index];
    if (variant.is_source) {
        auto text = source();
        if (!text) return text.error();
        const auto owner = std::make_shared<const std::string>(*std::move(text));
        return Blob{std::as_bytes(std::span(*owner)), owner};
    }
    const Extent& extent = manifest_->extents[index];
    const auto content = bytes_.subspan(extent.offset, extent.size);
    if (sha256(content) != extent.digest)
        return damaged(concat("variant '", variant.format, "' for '", variant.target, "' has another digest"));
    return Blob{content, nullptr};
}

Result<std::string> Package::source() const {
    if (!manifest_->has_source)
        return Error{"the package has no source", "build it again without stripping the source"};
    const Extent& extent = manifest_->source;
    const auto stored = bytes_.subspan(extent.offset, extent.size);
    if (sha256(stored) != extent.digest) return damaged("the source has another digest");
    // The frame's own idea of its size must be the manifest's: nothing larger is ever allocated or written.
    if (ZSTD_getFrameContentSize(stored.data(), stored.size()) != manifest_->source_size)
        return damaged(
            concat("the compressed source does not have the ", manifest_->source_size, " bytes of the manifest"));
    std::string text(manifest_->source_size, '\0');
    const size_t got = ZSTD_decompress(text.data(), text.size(), stored.data(), stored.size());
    if (ZSTD_isError(got)) return damaged(concat("the source cannot be decompressed: ", ZSTD_getErrorName(got)));
    if (got != text.size())
        return damaged(concat("the source has ", got, " bytes instead of ", manifest_->source_size));
    return text;
}

Result<size_t> Package::verify() const {
    if (has_source()) {
        const auto text = source();
        if (!text) return text.error();
    }
    for (size_t i = 0; i < variants().size(); ++i) {
        const auto content = read(i);
        if (!content) return content.error();
    }
    return variants().size();
}

} // namespace qiao::package
