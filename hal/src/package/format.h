/* The fixed head of a package file and the helpers that reader and writer share. All numbers are little-endian:
 *
 *     0  magic[8]     44 bytes in, everything after the head is described by the manifest
 *     8  u32 byte order mark, 12 u32 version, 16 u64 size of the whole package, 24 u64 size of the manifest,
 *    32  SHA-256 of the manifest; the manifest follows at 64, contents follow it, each aligned to 64. */
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "package/package.h"

namespace qiao::package {

/* A byte above 127, both line endings and a NUL: whoever handles a package as text is found out. */
inline constexpr std::array<unsigned char, 8> kMagic = {0x89, 'Q', 'P', 'K', '\r', '\n', 0x1a, 0};
inline constexpr uint32_t kByteOrderMark = 0x01020304;
inline constexpr uint32_t kVersion = 1;
inline constexpr uint64_t kHeadBytes = 64;
inline constexpr uint64_t kContentAlignment = 64;

inline constexpr size_t kDigestBytes = 32;
using Digest = std::array<uint8_t, kDigestBytes>;
Digest sha256(std::span<const std::byte> bytes);

inline constexpr uint64_t align_up(uint64_t value, uint64_t alignment) {
    return (value + alignment - 1) / alignment * alignment;
}

template <typename T>
T load_little_endian(const std::byte* bytes) {
    T value = 0;
    for (size_t i = 0; i < sizeof(T); ++i)
        value |= static_cast<T>(std::to_integer<uint8_t>(bytes[i])) << (8 * i);
    return value;
}

template <typename T>
void store_little_endian(std::byte* bytes, T value) {
    for (size_t i = 0; i < sizeof(T); ++i)
        bytes[i] = static_cast<std::byte>(value >> (8 * i));
}

/* The rules of the argument block, for kernels from anywhere: nothing = the kernel keeps them. */
std::optional<Error> check_kernel(const Kernel& kernel);

} // namespace qiao::package
