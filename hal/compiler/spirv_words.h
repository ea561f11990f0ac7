/* Instructions of a SPIR-V module by their operation codes and word counts (SPIR-V specification 2.3). */
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace qiao::compiler::spirv {

inline constexpr uint32_t kMagic = 0x07230203, kHeaderWords = 5;

/* Calls `body(operation, words, count)`; the first word of an instruction holds both numbers. False where the words end within
 * an instruction. */
template <typename Body>
bool for_each(const std::vector<uint32_t>& words, Body body) {
    for (size_t at = kHeaderWords; at < words.size();) {
        const uint32_t count = words[at] >> 16;
        if (count == 0 || at + count > words.size()) return false;
        body(words[at] & 0xffff, &words[at], count);
        at += count;
    }
    return true;
}

/* A literal string of at most `count` words. */
inline std::string text_at(const uint32_t* word, uint32_t count) {
    const auto* text = reinterpret_cast<const char*>(word);
    return {text, strnlen(text, size_t{4} * count)};
}

} // namespace qiao::compiler::spirv
