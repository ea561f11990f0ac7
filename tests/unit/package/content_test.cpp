// Content checks: each format's own files pass, those of another one, another machine or without a kernel do not.
#include <elf.h>

#include "package/content.h"
#include "sample.h"

using namespace qiao::package;

namespace {

std::vector<Kernel> kernels() {
    return {sample::scale(), sample::nothing()};
}

sample::Bytes elf(uint16_t machine, std::initializer_list<const char*> symbols) {
    sample::Bytes bytes(sizeof(Elf64_Ehdr));
    std::memcpy(bytes.data(), ELFMAG, SELFMAG);
    bytes[EI_CLASS] = std::byte{ELFCLASS64};
    bytes[EI_DATA] = std::byte{ELFDATA2LSB};
    store_little_endian<uint16_t>(&bytes[offsetof(Elf64_Ehdr, e_machine)], machine);
    bytes.push_back(std::byte{0});
    for (const char* symbol : symbols) {
        for (const char c : std::string(symbol) + '\0')
            bytes.push_back(static_cast<std::byte>(c));
    }
    return bytes;
}

/* Entry points of an execution model, then a function. */
sample::Bytes spirv(uint32_t model, std::initializer_list<const char*> names) {
    std::vector<uint32_t> words = {0x07230203, 0x00010500, 0, 9, 0};
    for (const char* name : names) {
        std::vector<uint32_t> text(std::strlen(name) / 4 + 1);
        std::memcpy(text.data(), name, std::strlen(name));
        words.push_back(static_cast<uint32_t>(3 + text.size()) << 16 | 15);
        words.insert(words.end(), {model, 1});
        words.insert(words.end(), text.begin(), text.end());
    }
    words.insert(words.end(), {5u << 16 | 54, 1, 2, 0, 3});
    const auto bytes = std::as_bytes(std::span(words));
    return {bytes.begin(), bytes.end()};
}

std::string problem(const char* format, const char* target, const sample::Bytes& bytes) {
    Variant variant;
    variant.format = format;
    variant.target = target;
    const auto error = check_content(variant, kernels(), bytes);
    if (error) CHECK_FALSE(error->remedy.empty());
    return error ? error->message : "";
}

} // namespace

TEST_SUITE("package.content") {
    TEST_CASE("a format's own code passes") {
        CHECK(problem("host-elf", "x86_64-v3", elf(EM_X86_64, {"_pocl_kernel_scale_workgroup", "_pocl_kernel_nothing_workgroup"})) == "");
        CHECK(problem("host-elf", "aarch64", elf(EM_AARCH64, {"_pocl_kernel_nothing_workgroup", "_pocl_kernel_scale_workgroup"})) == "");
        CHECK(problem("amdgcn", "gfx906", elf(EM_AMDGPU, {"scale.kd", "nothing.kd"})) == "");
        CHECK(problem("cubin", "sm_90", elf(EM_CUDA, {})) == "");
        CHECK(problem("spirv-vulkan", "", spirv(5, {"nothing", "scale"})) == "");
        CHECK(problem("spirv-opencl", "", spirv(6, {"scale", "nothing"})) == "");
        CHECK(problem("spirv-opencl+offset", "", spirv(6, {"scale__at", "nothing__at"})) == "");
        CHECK(problem("ptx", "sm_70", sample::bytes_of(".version 7.0\n.target sm_70\n.visible .entry scale(\n.visible .entry nothing\n(")) == "");
    }
    TEST_CASE("unknown formats and sources are not looked at") {
        CHECK(problem("card", "v1", sample::bytes_of("anything")) == "");
        Variant source;
        source.format = "opencl-c";
        source.is_source = true;
        CHECK_FALSE(check_content(source, kernels(), sample::bytes_of("?")));
    }
    TEST_CASE("code for another machine is named") {
        const auto arm = elf(EM_AARCH64, {"_pocl_kernel_scale_workgroup", "_pocl_kernel_nothing_workgroup"});
        CHECK(problem("host-elf", "x86_64-v3", arm) == "it is made for aarch64, not for x86_64");
        CHECK(problem("amdgcn", "gfx906", elf(EM_CUDA, {})) == "it is made for cuda, not for amdgpu");
        CHECK(problem("cubin", "", elf(1234, {})) == "it is made for ELF machine 1234, not for cuda");
    }
    TEST_CASE("what is no such file is refused, also when it is short") {
        for (const char* format : {"host-elf", "cubin", "amdgcn", "spirv-vulkan", "spirv-opencl", "ptx"}) {
            CAPTURE(format);
            CHECK(problem(format, "", sample::bytes_of("any bytes, but no code at all, although there are enough of them for a head")) != "");
            CHECK(problem(format, "", sample::bytes_of("\x7f" "ELF")) != "");
            CHECK(problem(format, "", {}) != "");
        }
        auto big = elf(EM_X86_64, {});
        big[EI_DATA] = std::byte{ELFDATA2MSB};
        CHECK(problem("host-elf", "", big) == "it is no 64-bit little-endian ELF file");
    }
    TEST_CASE("a kernel without an entry is named") {
        CHECK(problem("host-elf", "", elf(EM_X86_64, {"_pocl_kernel_scale_workgroup"})) == "it has no entry for kernel 'nothing'");
        CHECK(problem("amdgcn", "", elf(EM_AMDGPU, {"scale.kd", "xnothing.kd"})) == "it has no entry for kernel 'nothing'");
        CHECK(problem("spirv-vulkan", "", spirv(5, {"scale"})) == "it has no entry for kernel 'nothing'");
        CHECK(problem("spirv-vulkan", "", spirv(6, {"scale", "nothing"})) == "it has no entry for kernel 'scale'");
        CHECK(problem("spirv-opencl+offset", "", spirv(6, {"scale", "nothing"})) == "it has no entry for kernel 'scale__at'");
        CHECK(problem("ptx", "", sample::bytes_of(".version 7.0 .target sm_70 .entry scaled( .entry nothing(")) == "it has no entry for kernel 'scale'");
    }
    TEST_CASE("instructions that leave the module end the search") {
        auto module = spirv(5, {"scale", "nothing"});
        store_little_endian<uint32_t>(&module[20], 0xffff000fu);
        CHECK(problem("spirv-vulkan", "", module) == "it has no entry for kernel 'scale'");
        store_little_endian<uint32_t>(&module[20], 0x0000000fu); // length 0
        CHECK(problem("spirv-vulkan", "", module) == "it has no entry for kernel 'scale'");
    }
}
