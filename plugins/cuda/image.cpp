// See image.h.
#include "image.h"

#include <ctype.h>
#include <elf.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

namespace qiao::cuda {
namespace {

// Printable, for messages: the first bytes of something that is no text.
std::string first_bytes(const unsigned char* bytes, size_t size) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (size_t i = 0; i < std::min<size_t>(size, 8); ++i) {
        if (i != 0) text += ' ';
        text += kDigits[bytes[i] >> 4];
        text += kDigits[bytes[i] & 15];
    }
    return text.empty() ? "nothing" : text;
}

std::string names_of(const std::vector<std::string>& magics) {
    std::string text;
    for (const std::string& magic : magics) {
        if (!text.empty()) text += " or ";
        text += magic == ELFMAG ? "an ELF file's" : "\"" + magic + "\"";
    }
    return text;
}

std::string check_elf(const Format& format, const unsigned char* bytes, size_t size) {
    if (size < sizeof(Elf64_Ehdr)) return "its ELF header is cut off after " + std::to_string(size) + " bytes";
    Elf64_Ehdr head;
    std::memcpy(&head, bytes, sizeof head);
    if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_ident[EI_DATA] != ELFDATA2LSB) return "it is no 64-bit little-endian ELF file";
    if (head.e_machine != *format.elf_machine)
        return "it is made for the ELF machine " + std::to_string(head.e_machine) + ", the format " + format.name + " is for " + std::to_string(*format.elf_machine);
    return "";
}

// "sm_80" -> 80, "mp_22" -> 22; nothing where the rest is no plain number ("gfx90a").
std::optional<unsigned> number_of(std::string_view prefix, std::string_view target) {
    if (!target.starts_with(prefix)) return std::nullopt;
    target.remove_prefix(prefix.size());
    unsigned number = 0;
    const auto [end, error] = std::from_chars(target.data(), target.data() + target.size(), number);
    if (error != std::errc() || end != target.data() + target.size()) return std::nullopt;
    return number;
}

} // namespace

const Format* find_format(const Family& family, std::string_view name) {
    const auto found = std::find_if(family.formats.begin(), family.formats.end(), [&](const Format& format) { return format.name == name; });
    return found == family.formats.end() ? nullptr : &*found;
}

std::string check_image(const Format& format, const void* data, size_t size) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    const std::string_view text(static_cast<const char*>(data), size);
    for (const std::string& part : format.text)
        if (text.find(part) == std::string_view::npos) return "it is no " + format.name + ": \"" + part + "\" stands nowhere in it";
    if (!format.text.empty()) return "";
    const auto magic = std::find_if(format.magic.begin(), format.magic.end(), [&](const std::string& beginning) { return text.starts_with(beginning); });
    if (magic == format.magic.end())
        return "it begins with " + first_bytes(bytes, size) + ", which is not how " + format.name + " begins (" + names_of(format.magic) + ")";
    return *magic == ELFMAG && format.elf_machine ? check_elf(format, bytes, size) : "";
}

unsigned score_target(const Family& family, const Format& format, std::string_view target, std::string_view device, std::string* out_reason) {
    constexpr unsigned kEqual = 10, kLike = 6, kUnknown = 3;
    if (format.target == TargetRule::kAny || target.empty() || device.empty()) return kUnknown;
    if (target == device) return kEqual;
    if (format.target == TargetRule::kPreferred) return kUnknown;
    const std::optional<unsigned> wanted = number_of(family.target_prefix, target), has = number_of(family.target_prefix, device);
    if (wanted && has && *wanted <= *has) {
        if (format.target == TargetRule::kUpTo) return kLike;
        if (format.target == TargetRule::kSameMajor && *wanted / 10 == *has / 10) return kLike;
    }
    *out_reason = "it is for " + std::string(target) + ", the device is " + std::string(device);
    return 0;
}

} // namespace qiao::cuda
