/* Pieces of packages, also of ones that no writer would write, and true heads for them: so that damage is found by the check that
 * it is meant for. */
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "package/format.h"
#include "package/manifest.h"

namespace sample {

using Bytes = std::vector<std::byte>;

inline Bytes bytes_of(std::string_view text) {
    const auto span = std::as_bytes(std::span(text));
    return {span.begin(), span.end()};
}

inline qiao::package::Argument value(std::string name, std::string type, uint32_t size) {
    return {std::move(name), std::move(type), QIAO_ARGUMENT_KIND_VALUE, 0, 0, size, size};
}
inline qiao::package::Argument address(std::string name, qiao_access access) {
    return {std::move(name), "global float*", QIAO_ARGUMENT_KIND_ADDRESS, access, 0, 0, 0};
}
inline qiao::package::Argument local(std::string name) {
    return {std::move(name), "local float*", QIAO_ARGUMENT_KIND_LOCAL, 0, 0, 0, 0};
}

/* Puts a true head before the manifest that stands in `bytes`, so that damage behind it is not caught by the digest. */
inline void seal(std::span<std::byte> bytes, uint64_t manifest_size) {
    using namespace qiao::package;
    std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
    store_little_endian<uint32_t>(&bytes[8], kByteOrderMark);
    store_little_endian<uint32_t>(&bytes[12], kVersion);
    store_little_endian<uint64_t>(&bytes[16], bytes.size());
    store_little_endian<uint64_t>(&bytes[24], manifest_size);
    const Digest digest = sha256(bytes.subspan(kHeadBytes, manifest_size));
    std::memcpy(&bytes[32], digest.data(), digest.size());
}

/* A package of exactly this manifest, right or wrong; contents stand where the manifest says. */
inline Bytes assemble(const qiao::package::Manifest& manifest, uint64_t total = 0) {
    using namespace qiao::package;
    const auto described = serialise_manifest(manifest);
    Bytes bytes(std::max<uint64_t>(total, kHeadBytes + described.size()));
    std::copy(described.begin(), described.end(), bytes.begin() + kHeadBytes);
    seal(bytes, described.size());
    return bytes;
}

} // namespace sample
