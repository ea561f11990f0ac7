/* From and to the bytes of a manifest; the rest of the room sees only the structs of package.h. */
#pragma once

#include "package/format.h"

namespace qiao::package {

/* Where contents stand in the file. */
struct Extent {
    uint64_t offset = 0;
    uint64_t size = 0;
    Digest digest = {};
};

struct Manifest {
    std::vector<Kernel> kernels;
    std::vector<Variant> variants;
    std::vector<Extent> extents; /* of the variants, in their order; empty where the variant is the source */
    bool has_source = false;
    std::string source_name;
    std::string options;
    uint64_t source_size = 0; /* decompressed */
    Extent source;
};

/* Verifies structure and limits, and that every variant has every kernel; bounds of extents are the caller's. */
Result<Manifest> parse_manifest(std::span<const std::byte> bytes);
std::vector<std::byte> serialise_manifest(const Manifest& manifest);

} // namespace qiao::package
