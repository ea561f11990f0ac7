/* The images that the fake libraries take, for those that make them and those that read them: an ELF file of the family's machine with
 * three sections, as the only entry of an offload bundle where the family has that.
 *
 *   .fake.target   "FAMILY TARGET", as "cu sm_80"
 *   .fake.kernels  a line for each kernel, see Kernel
 *   .fake.host     a shared object with PoCL's work-group functions
 *   .strtab        "KERNEL.kd" for each kernel, which is what a code object for AMD's cards is known by
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fakes::image {

inline constexpr const char* kTargetSection = ".fake.target";
inline constexpr const char* kKernelsSection = ".fake.kernels";
inline constexpr const char* kHostSection = ".fake.host";
inline constexpr const char* kBundleMagic = "__CLANG_OFFLOAD_BUNDLE__";

/* How a family's images look. */
struct Style {
    const char* family;
    const char* format;        /* of a package's variant */
    const char* target;        /* of the variant; "" = any */
    uint16_t machine;          /* of the ELF head; 0 where nobody has read one */
    const char* bundle_target; /* of the entry in an offload bundle; null = images are plain ELF */
    bool wide_local;           /* local arguments are 64-bit offsets from the start; else 32-bit ones behind the kernel's own */
};
/* Null = no such family. */
const Style* style_of(std::string_view family);

/* One argument: 'v' with size and alignment, 'a' an address, 'l' local memory. */
struct Argument {
    char kind = 'v';
    uint32_t size = 0;
    uint32_t alignment = 0;
};

/* "NAME GROUP_X GROUP_Y GROUP_Z PRIVATE FIXED STATIC,... ARGUMENT,...", as "add 0 0 0 16 320 - a,a,v4:4,l": the required group (0 = none), bytes
 * of stack for each work-item and for the group, bytes of the kernel's own local variables, arguments; "-" = none. */
struct Kernel {
    std::string name;
    uint32_t group[3] = {0, 0, 0};
    bool stack_known = false; /* else PRIVATE and FIXED are "-" */
    uint32_t private_bytes = 0;
    uint32_t fixed_bytes = 0;
    std::vector<uint32_t> statics;
    std::vector<Argument> arguments;
    bool prints = false; /* NAME ends in "!" */
};

std::string line_of(const Kernel& kernel);
std::optional<Kernel> parse_line(const std::string& line);

struct Image {
    std::string target;
    std::vector<Kernel> kernels;
    std::span<const std::byte> host;
};

std::vector<std::byte> write(const Image& image, const Style& style);
/* From where an image begins; its size is found in it, as drivers that are told none do. Reads at most `room` bytes; nothing = no image. */
std::optional<Image> read(const std::byte* begin, size_t room, const Style& style);

} // namespace fakes::image
