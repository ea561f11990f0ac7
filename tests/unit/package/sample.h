/* Packages that the tests of the package room start from. */
#pragma once

#include <doctest/doctest.h>

#include <string>
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

inline qiao::package::Kernel scale() {
    qiao::package::Kernel kernel;
    kernel.name = "scale";
    kernel.arguments = {address("x", QIAO_ACCESS_READ), local("buffer"), value("n", "int", 4),
                        value("v", "float4", 16)};
    kernel.required_group[0] = 64;
    kernel.required_group[1] = kernel.required_group[2] = 1;
    kernel.static_local_bytes = 256;
    kernel.features = QIAO_FEATURE_FP64 | QIAO_FEATURE_PRINTF;
    auto laid_out = qiao::package::lay_out(std::move(kernel));
    REQUIRE(laid_out);
    return *std::move(laid_out);
}

inline qiao::package::Kernel nothing() {
    qiao::package::Kernel kernel;
    kernel.name = "nothing";
    return kernel;
}

inline const std::string kSource = "kernel void scale(...) {}\nkernel void nothing() {}\n";

inline qiao::package::Writer writer() {
    qiao::package::Writer made;
    made.set_source("kernels/scale.cl", kSource, "-cl-std=CL1.2");
    made.add_kernel(scale());
    made.add_kernel(nothing());
    made.add_source_variant(QIAO_FEATURE_FP64);
    for (const char* target : {"x86_64-v2", "x86_64-v3"}) {
        qiao::package::Variant variant;
        variant.format = "host-elf";
        variant.target = target;
        variant.tool = "pocl-3.1 clang-15.0.6";
        variant.metadata = {"auto_local=256;private=16;fixed=0", ""};
        made.add_variant(variant, bytes_of(std::string("the code for ") + target));
    }
    return made;
}

inline Bytes package() {
    auto bytes = writer().finish();
    REQUIRE(bytes);
    return *std::move(bytes);
}

/* Puts a true head before the manifest that stands in `bytes`, so that damage behind it is not caught by the digest. */
inline void seal(Bytes& bytes, uint64_t manifest_size) {
    using namespace qiao::package;
    std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
    store_little_endian<uint32_t>(&bytes[8], kByteOrderMark);
    store_little_endian<uint32_t>(&bytes[12], kVersion);
    store_little_endian<uint64_t>(&bytes[16], bytes.size());
    store_little_endian<uint64_t>(&bytes[24], manifest_size);
    const Digest digest = sha256(std::span(bytes).subspan(kHeadBytes, manifest_size));
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
