// SHA-256 by libmd: the one digest of packages and of the compiler's cache.
#include <sha256.h>

#include "package/format.h"

namespace qiao::package {

Digest sha256(std::span<const std::byte> bytes) {
    Digest digest;
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    SHA256_Final(digest.data(), &context);
    return digest;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const uint8_t byte : sha256(bytes)) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

} // namespace qiao::package
