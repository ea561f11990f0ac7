// One row for each format known: a check of its head, and what the entry of a kernel looks like in its bytes. Code is never parsed
// further than that: the driver that runs it does, and says more.
#include "package/content.h"

#include <elf.h>

#include <algorithm>

#include "package/concat.h"
#include "package/format.h"

#ifndef EM_LOONGARCH
#define EM_LOONGARCH 258
#endif

namespace qiao::package {
namespace {

constexpr uint16_t kAnyMachine = EM_NONE;
constexpr uint32_t kSpirvMagic = 0x07230203;
constexpr size_t kSpirvHeadWords = 5;
constexpr uint16_t kOpEntryPoint = 15, kOpFunction = 54;
constexpr uint32_t kModelGlCompute = 5, kModelKernel = 6;

struct Machine {
    uint16_t number;
    std::string_view name; /* as `uname -m` says it: a host target begins with it */
};
constexpr Machine kMachines[] = {{EM_X86_64, "x86_64"}, {EM_AARCH64, "aarch64"},       {EM_RISCV, "riscv64"},
                                 {EM_CUDA, "cuda"},     {EM_LOONGARCH, "loongarch64"}, {EM_AMDGPU, "amdgpu"}};

std::string machine_name(uint16_t number) {
    for (const Machine& machine : kMachines) {
        if (machine.number == number) return std::string(machine.name);
    }
    return concat("ELF machine ", number);
}

/* Of a host target: "x86_64-v3" is x86_64. */
uint16_t machine_of(std::string_view target) {
    for (const Machine& machine : kMachines) {
        if (target == machine.name || target.starts_with(concat(machine.name, "-"))) return machine.number;
    }
    return kAnyMachine;
}

std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/* "" or what is wrong with the head. */
std::string check_elf(std::span<const std::byte> bytes, uint16_t machine) {
    if (bytes.size() < sizeof(Elf64_Ehdr) || !text_of(bytes).starts_with(ELFMAG)) return "it is no ELF file";
    Elf64_Ehdr head;
    std::memcpy(&head, bytes.data(), sizeof head);
    if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_ident[EI_DATA] != ELFDATA2LSB)
        return "it is no 64-bit little-endian ELF file";
    const auto found = load_little_endian<uint16_t>(bytes.data() + offsetof(Elf64_Ehdr, e_machine));
    if (machine == kAnyMachine || found == machine) return "";
    return concat("it is made for ", machine_name(found), ", not for ", machine_name(machine));
}

std::string check_host_elf(const Variant& variant, std::span<const std::byte> bytes) {
    return check_elf(bytes, machine_of(variant.target));
}
std::string check_cubin(const Variant&, std::span<const std::byte> bytes) {
    return check_elf(bytes, EM_CUDA);
}
std::string check_amdgcn(const Variant&, std::span<const std::byte> bytes) {
    return check_elf(bytes, EM_AMDGPU);
}
std::string check_spirv(const Variant&, std::span<const std::byte> bytes) {
    if (bytes.size() < 4 * kSpirvHeadWords || bytes.size() % 4 != 0 || load_little_endian<uint32_t>(bytes.data()) != kSpirvMagic)
        return "it is no little-endian SPIR-V module";
    return "";
}
std::string check_ptx(const Variant&, std::span<const std::byte> bytes) {
    const std::string_view text = text_of(bytes);
    return text.find(".version") == text.npos || text.find(".target") == text.npos ? "it is no PTX text" : "";
}

/* ---------------------------------------------------------------- entries of kernels */

/* A name in an ELF file's string tables, which end each with a NUL byte. */
bool has_symbol(std::span<const std::byte> bytes, const std::string& name) {
    const std::string whole = concat(std::string_view("\0", 1), name, std::string_view("\0", 1));
    return text_of(bytes).find(whole) != std::string_view::npos;
}
bool has_host_entry(std::span<const std::byte> bytes, const std::string& kernel) {
    return has_symbol(bytes, concat("_pocl_kernel_", kernel, "_workgroup"));
}
bool has_amdgcn_entry(std::span<const std::byte> bytes, const std::string& kernel) {
    return has_symbol(bytes, kernel + ".kd");
}

/* An instruction begins with its length in words and its number; entry points stand before the first function. */
bool has_spirv_entry(std::span<const std::byte> bytes, const std::string& kernel, uint32_t model) {
    for (size_t at = 4 * kSpirvHeadWords; at + 4 <= bytes.size();) {
        const auto first = load_little_endian<uint32_t>(bytes.data() + at);
        const size_t size = 4 * size_t{first >> 16};
        if (size == 0 || size > bytes.size() - at || (first & 0xffff) == kOpFunction) return false;
        if ((first & 0xffff) == kOpEntryPoint && size > 12 && load_little_endian<uint32_t>(bytes.data() + at + 4) == model) {
            const std::string_view name = text_of(bytes.subspan(at + 12, size - 12));
            if (name.substr(0, name.find('\0')) == kernel) return true;
        }
        at += size;
    }
    return false;
}
bool has_vulkan_entry(std::span<const std::byte> bytes, const std::string& kernel) {
    return has_spirv_entry(bytes, kernel, kModelGlCompute);
}
bool has_opencl_entry(std::span<const std::byte> bytes, const std::string& kernel) {
    return has_spirv_entry(bytes, kernel, kModelKernel);
}

bool has_ptx_entry(std::span<const std::byte> bytes, const std::string& kernel) {
    const std::string_view text = text_of(bytes);
    constexpr std::string_view kEntry = ".entry";
    for (size_t at = text.find(kEntry); at != text.npos; at = text.find(kEntry, at + 1)) {
        const size_t begin = text.find_first_not_of(" \t\r\n", at + kEntry.size());
        if (begin == text.npos || text.substr(begin, kernel.size()) != kernel) continue;
        const std::string_view rest = text.substr(begin + kernel.size());
        if (rest.empty() || rest[0] == '(' || rest[0] == ' ' || rest[0] == '\n' || rest[0] == '\r' || rest[0] == '\t') return true;
    }
    return false;
}

struct Format {
    std::string_view name;
    std::string (*check_head)(const Variant&, std::span<const std::byte>);
    bool (*has_entry)(std::span<const std::byte>, const std::string&); /* null = cannot be told */
};
constexpr Format kFormats[] = {
    {"host-elf", check_host_elf, has_host_entry},  {"spirv-opencl", check_spirv, has_opencl_entry},
    {"spirv-vulkan", check_spirv, has_vulkan_entry}, {"ptx", check_ptx, has_ptx_entry},
    {"cubin", check_cubin, nullptr},               {"amdgcn", check_amdgcn, has_amdgcn_entry},
};

} // namespace

std::optional<Error> check_content(const Variant& variant, const std::vector<Kernel>& kernels, std::span<const std::byte> bytes) {
    std::string_view name = variant.format;
    const bool with_offsets = name.ends_with(kOffsetSuffix);
    if (with_offsets) name.remove_suffix(kOffsetSuffix.size());
    const auto format = std::find_if(std::begin(kFormats), std::end(kFormats), [&](const Format& each) { return each.name == name; });
    if (variant.is_source || format == std::end(kFormats)) return std::nullopt;
    if (const std::string problem = format->check_head(variant, bytes); !problem.empty())
        return Error{problem, concat("give a file of format ", name, variant.target.empty() ? "" : " for ", variant.target)};
    for (const Kernel& kernel : kernels) {
        const std::string entry = concat(kernel.name, with_offsets ? "__at" : "");
        if (format->has_entry != nullptr && !format->has_entry(bytes, entry))
            return Error{concat("it has no entry for kernel '", entry, "'"), "compile all kernels of the package's source into it"};
    }
    return std::nullopt;
}

} // namespace qiao::package
