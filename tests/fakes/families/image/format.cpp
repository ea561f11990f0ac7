#include "image/format.h"

#include <elf.h>

#include <charconv>
#include <cstring>
#include <sstream>

namespace fakes::image {
namespace {

constexpr size_t kAlignment = 4096; /* of the host code in the file */

constexpr Style kStyles[] = {
    {"cu", "cubin", "sm_80", EM_CUDA, nullptr, true},
    {"mu", "mubin", "mp_22", EM_NONE, "musa-mtgpu-mt-musa--mp_22", true},
    {"hg", "hgbin", "", EM_NONE, nullptr, true},
    {"hip", "amdgcn", "gfx906", EM_AMDGPU, nullptr, false},
    {"mc", "mcfatbin", "", EM_NONE, nullptr, true},
    {"sudrv", "subin", "", EM_NONE, nullptr, true},
    {"ta", "tabin", "", EM_NONE, nullptr, true},
};

std::string text_of(const std::vector<uint32_t>& numbers) {
    std::string text;
    for (const uint32_t number : numbers)
        text += (text.empty() ? "" : ",") + std::to_string(number);
    return text.empty() ? "-" : text;
}

bool read_number(std::string_view text, uint32_t& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size();
}

/* Calls `each` with each piece between commas; "-" has none. False as soon as it says so. */
template <class Each>
bool split(std::string_view text, Each each) {
    if (text == "-") return true;
    for (;;) {
        const std::string_view piece = text.substr(0, text.find(','));
        if (!each(piece)) return false;
        if (piece.size() == text.size()) return true;
        text.remove_prefix(piece.size() + 1);
    }
}

bool parse_argument(std::string_view text, Argument& out) {
    if (text == "a" || text == "l") {
        out = {text[0], 8, 8};
        return true;
    }
    const size_t colon = text.find(':');
    if (text.empty() || text[0] != 'v' || colon == text.npos) return false;
    out.kind = 'v';
    return read_number(text.substr(1, colon - 1), out.size) && read_number(text.substr(colon + 1), out.alignment);
}

void append(std::vector<std::byte>& to, const void* bytes, size_t size) {
    const auto* from = static_cast<const std::byte*>(bytes);
    to.insert(to.end(), from, from + size);
}

template <class T>
T load(const std::byte* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

struct Section {
    const char* name;
    std::span<const std::byte> bytes;
    size_t alignment;
};

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text));
}

std::vector<std::byte> write_elf(uint16_t machine, std::vector<Section> sections) {
    std::string names(1, '\0');
    std::vector<Elf64_Shdr> table(1);
    sections.push_back({".shstrtab", {}, 1});
    for (const Section& section : sections) {
        Elf64_Shdr head = {};
        head.sh_name = static_cast<uint32_t>(names.size());
        head.sh_type = section.name[1] == 's' ? SHT_STRTAB : SHT_PROGBITS;
        head.sh_addralign = section.alignment;
        table.push_back(head);
        names += section.name;
        names += '\0';
    }
    sections.back().bytes = bytes_of(names);
    std::vector<std::byte> file(sizeof(Elf64_Ehdr));
    for (size_t index = 0; index < sections.size(); ++index) {
        const Section& section = sections[index];
        file.resize((file.size() + section.alignment - 1) / section.alignment * section.alignment);
        table[index + 1].sh_offset = file.size();
        table[index + 1].sh_size = section.bytes.size();
        append(file, section.bytes.data(), section.bytes.size());
    }
    file.resize((file.size() + 7) / 8 * 8);
    Elf64_Ehdr head = {};
    std::memcpy(head.e_ident, ELFMAG, SELFMAG);
    head.e_ident[EI_CLASS] = ELFCLASS64;
    head.e_ident[EI_DATA] = ELFDATA2LSB;
    head.e_ident[EI_VERSION] = EV_CURRENT;
    head.e_type = ET_DYN;
    head.e_machine = machine;
    head.e_version = EV_CURRENT;
    head.e_ehsize = sizeof head;
    head.e_shoff = file.size();
    head.e_shentsize = sizeof(Elf64_Shdr);
    head.e_shnum = static_cast<uint16_t>(table.size());
    head.e_shstrndx = static_cast<uint16_t>(table.size() - 1);
    append(file, table.data(), table.size() * sizeof table[0]);
    std::memcpy(file.data(), &head, sizeof head);
    return file;
}

/* "" = there is none. */
std::span<const std::byte> find_section(const std::byte* file, size_t room, const char* wanted) {
    const auto head = load<Elf64_Ehdr>(file);
    if (head.e_shentsize != sizeof(Elf64_Shdr) || head.e_shoff > room || head.e_shnum > (room - head.e_shoff) / sizeof(Elf64_Shdr) ||
        head.e_shstrndx >= head.e_shnum) {
        return {};
    }
    const auto section_of = [&](size_t index) { return load<Elf64_Shdr>(file + head.e_shoff + index * sizeof(Elf64_Shdr)); };
    const auto inside = [&](const Elf64_Shdr& section) { return section.sh_offset <= room && section.sh_size <= room - section.sh_offset; };
    const Elf64_Shdr names = section_of(head.e_shstrndx);
    if (!inside(names)) return {};
    for (size_t index = 1; index < head.e_shnum; ++index) {
        const Elf64_Shdr section = section_of(index);
        const size_t length = std::strlen(wanted) + 1;
        if (section.sh_name > names.sh_size || length > names.sh_size - section.sh_name || !inside(section)) continue;
        if (std::memcmp(file + names.sh_offset + section.sh_name, wanted, length) == 0) return {file + section.sh_offset, section.sh_size};
    }
    return {};
}

std::string string_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::optional<Image> read_elf(const std::byte* file, size_t room, uint16_t machine) {
    if (room < sizeof(Elf64_Ehdr) || std::memcmp(file, ELFMAG, SELFMAG) != 0) return {};
    if (load<Elf64_Ehdr>(file).e_machine != machine) return {};
    Image image;
    image.target = string_of(find_section(file, room, kTargetSection));
    image.host = find_section(file, room, kHostSection);
    std::istringstream lines(string_of(find_section(file, room, kKernelsSection)));
    for (std::string line; std::getline(lines, line);) {
        std::optional<Kernel> kernel = parse_line(line);
        if (!kernel) return {};
        image.kernels.push_back(std::move(*kernel));
    }
    return image;
}

} // namespace

const Style* style_of(std::string_view family) {
    for (const Style& style : kStyles) {
        if (style.family == family) return &style;
    }
    return nullptr;
}

std::string line_of(const Kernel& kernel) {
    std::ostringstream line;
    line << kernel.name << (kernel.prints ? "!" : "");
    for (const uint32_t size : kernel.group)
        line << ' ' << size;
    if (kernel.stack_known) {
        line << ' ' << kernel.private_bytes << ' ' << kernel.fixed_bytes;
    } else {
        line << " - -";
    }
    line << ' ' << text_of(kernel.statics) << ' ';
    for (size_t index = 0; index < kernel.arguments.size(); ++index) {
        const Argument& argument = kernel.arguments[index];
        line << (index == 0 ? "" : ",") << argument.kind;
        if (argument.kind == 'v') line << argument.size << ':' << argument.alignment;
    }
    line << (kernel.arguments.empty() ? "-" : "");
    return line.str();
}

std::optional<Kernel> parse_line(const std::string& line) {
    std::istringstream words(line);
    Kernel kernel;
    std::string private_bytes, fixed_bytes, statics, arguments, more;
    words >> kernel.name >> kernel.group[0] >> kernel.group[1] >> kernel.group[2] >> private_bytes >> fixed_bytes >> statics >> arguments;
    if (!words || words >> more || kernel.name.empty()) return {};
    if (kernel.name.back() == '!') {
        kernel.prints = true;
        kernel.name.pop_back();
    }
    kernel.stack_known = private_bytes != "-";
    if (kernel.stack_known && !(read_number(private_bytes, kernel.private_bytes) && read_number(fixed_bytes, kernel.fixed_bytes))) return {};
    if (!split(statics, [&](std::string_view text) { return read_number(text, kernel.statics.emplace_back()); })) return {};
    if (!split(arguments, [&](std::string_view text) { return parse_argument(text, kernel.arguments.emplace_back()); })) return {};
    return kernel;
}

std::vector<std::byte> write(const Image& image, const Style& style) {
    std::string kernels, symbols(1, '\0');
    for (const Kernel& kernel : image.kernels) {
        kernels += line_of(kernel) + "\n";
        symbols += kernel.name + ".kd" + '\0';
    }
    std::vector<std::byte> elf = write_elf(style.machine, {{kTargetSection, bytes_of(image.target), 1},
                                                     {kKernelsSection, bytes_of(kernels), 1},
                                                     {".strtab", bytes_of(symbols), 1},
                                                     {kHostSection, image.host, kAlignment}});
    if (style.bundle_target == nullptr) return elf;
    const std::string_view name = style.bundle_target;
    std::vector<std::byte> bundle;
    const uint64_t numbers[] = {1, kAlignment, elf.size(), name.size()}; /* entries; offset, size and length of the name */
    append(bundle, kBundleMagic, std::strlen(kBundleMagic));
    append(bundle, numbers, sizeof numbers);
    append(bundle, name.data(), name.size());
    bundle.resize(kAlignment);
    append(bundle, elf.data(), elf.size());
    return bundle;
}

std::optional<Image> read(const std::byte* begin, size_t room, const Style& style) {
    if (style.bundle_target == nullptr) return read_elf(begin, room, style.machine);
    const size_t magic = std::strlen(kBundleMagic), name = std::strlen(style.bundle_target);
    if (room < magic + 32 + name || std::memcmp(begin, kBundleMagic, magic) != 0 || load<uint64_t>(begin + magic) != 1) return {};
    const auto offset = load<uint64_t>(begin + magic + 8), size = load<uint64_t>(begin + magic + 16);
    if (offset > room || size > room - offset || load<uint64_t>(begin + magic + 24) != name) return {};
    if (std::memcmp(begin + magic + 32, style.bundle_target, name) != 0) return {};
    return read_elf(begin + offset, size, style.machine);
}

} // namespace fakes::image
