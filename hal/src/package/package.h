/* The kernel package (.qpk): what its manifest says, the reader and the writer. Everything read is untrusted: sizes,
 * bounds, digests and argument layouts are checked before a byte is used. Knows neither devices nor plugins: which
 * variant suits a card is decided elsewhere. The format is described in hal/docs/packages.md. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "package/result.h"
#include "qiao/types.h"

namespace qiao::package {

/* A reader refuses more than this before it allocates anything in proportion. */
inline constexpr uint64_t kMaxManifestBytes = 16u << 20;
inline constexpr uint64_t kMaxSourceBytes = 16u << 20;
inline constexpr uint32_t kMaxKernels = 4096;
inline constexpr uint32_t kMaxVariants = 256;
inline constexpr uint32_t kMaxStringBytes = 64u << 10;
inline constexpr uint32_t kMaxArgumentAlignment = 128;

/* Ends the format of a variant whose kernels `k` are entered by `k__at`, with a (buffer, 64-bit byte offset) pair in place of
 * each address: for devices without addresses. A source has these entries where it is compiled with the option. */
inline constexpr std::string_view kOffsetSuffix = "+offset";
inline constexpr std::string_view kOffsetOption = "-DQIAO_OFFSET";

/* One place in the argument block: C struct layout, counts of local arguments last. */
struct Argument {
    std::string name;
    std::string type; /* as written in the source: "float4", "global const float*", "struct params" */
    qiao_argument_kind kind = QIAO_ARGUMENT_KIND_VALUE;
    qiao_access access = 0;
    uint32_t offset = 0; /* of a LOCAL argument: where its uint32_t byte count stands */
    uint32_t size = 0;   /* 8 for ADDRESS, 4 for LOCAL */
    uint32_t alignment = 0;

    bool operator==(const Argument&) const = default;
};

struct Kernel {
    std::string name;
    std::vector<Argument> arguments;
    uint32_t block_size = 0; /* as sizeof of the C struct */
    uint32_t required_group[3] = {0, 0, 0};
    uint32_t static_local_bytes = 0;
    qiao_features features = 0;

    bool operator==(const Kernel&) const = default;
};

struct Variant {
    std::string format; /* "opencl-c", "host-elf", "spirv-opencl", "ptx", ... */
    std::string target; /* pattern: "x86_64-v3"; "" = any */
    std::string tool; /* who made it, with version; for host-elf the first word is the calling interface: "pocl-3.1" */
    qiao_features features = 0;
    std::vector<std::string> metadata; /* the vendor's text for each kernel of the package, in its order; "" = none */
    uint64_t size = 0;                 /* bytes in the package; 0 when it is the source */
    bool is_source = false;            /* its bytes are the package's source */

    bool operator==(const Variant&) const = default;
};

/* Bytes borrowed from the package, or owned where they had to be decompressed. */
struct Blob {
    std::span<const std::byte> bytes;
    std::shared_ptr<const std::string> owner; /* null = borrowed: valid as long as the package's memory */
};

struct Manifest; /* manifest.h */

class Package {
  public:
    /* `bytes` must outlive the package. Checks header, manifest and all bounds; variants are checked by `read`. */
    static Result<Package> open(std::span<const std::byte> bytes);
    /* Maps the file; copies of the package share the mapping. */
    static Result<Package> open_file(const std::string& path);

    /* In the order of the source. References into the package's description stay valid as long as any copy of it. */
    const std::vector<Kernel>& kernels() const;
    const std::vector<Variant>& variants() const;
    const Kernel* find_kernel(std::string_view name) const; /* null = none */
    bool has_source() const;
    const std::string& source_name() const;
    const std::string& options() const; /* what the source must be compiled with; includes and -D are in it already */
    std::string options_of(size_t index) const; /* the same for one variant's source */
    std::span<const std::byte> bytes() const { return bytes_; }

    /* The variant's bytes, digest checked. `index` must be below variants().size(). Zero copy, except for sources. */
    Result<Blob> read(size_t index) const;
    Result<std::string> source() const;
    /* Reads everything once: the first error, or the number of variants. */
    Result<size_t> verify() const;

  private:
    Package() = default;

    std::shared_ptr<const void> mapping_; /* null for borrowed bytes */
    std::span<const std::byte> bytes_;
    std::shared_ptr<const Manifest> manifest_;
};

/* Builds a package: the same calls give the same bytes. What it writes has passed the reader's checks. */
class Writer {
  public:
    Writer() = default;
    /* Starts from a package, so that variants can be added and removed without compiling the others again. */
    static Result<Writer> from(const Package& package);

    void set_source(std::string name, std::string text, std::string options);
    void add_kernel(Kernel kernel) { kernels_.push_back(std::move(kernel)); }
    /* `variant.metadata` may be empty (none for any kernel); `size` is ignored. */
    void add_variant(Variant variant, std::vector<std::byte> bytes);
    /* The source as a variant of that format: "opencl-c", "opencl-c+offset". */
    void add_source_variant(qiao_features features, std::string_view format = "opencl-c");
    void remove_variant(size_t index);
    /* With the variants that are the source. */
    void remove_source();
    const std::vector<Variant>& variants() const { return variants_; }

    Result<std::vector<std::byte>> finish() const;

  private:
    bool has_source_ = false;
    std::string source_name_;
    std::string source_;
    std::string options_;
    std::vector<Kernel> kernels_;
    std::vector<Variant> variants_;
    std::vector<std::vector<std::byte>> contents_; /* of the variants, in their order */
};

/* Fills offsets, sizes of counts and block_size from kinds, sizes and alignments by the rules of the argument block. */
Result<Kernel> lay_out(Kernel kernel);

/* Lower-case hexadecimal SHA-256. */
std::string sha256_hex(std::span<const std::byte> bytes);

} // namespace qiao::package
