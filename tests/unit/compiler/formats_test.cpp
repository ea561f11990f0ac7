// Which formats there are, who is asked for what, and that variants built at the same time make one package.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <tuple>

#include "formats.h"
#include "support.h"
#include "tools.h"

using support::desc;
using support::Output;
using qiao::compiler::parse_formats;

namespace {

const std::string kScale = "kernel void scale(global float* x, float f) { x[get_global_id(0)] *= f; }\n";

std::string names_of(std::string_view text) {
    const auto list = parse_formats(text);
    REQUIRE(list);
    std::string names;
    for (const auto* format : *list)
        names += std::string(format->name) + " ";
    return names;
}

std::vector<std::string> formats_in(const Output& output) {
    std::vector<std::string> formats;
    const auto package = output.package();
    for (const auto& variant : package.variants())
        formats.push_back(variant.format + (variant.target.empty() ? "" : ":" + variant.target));
    return formats;
}

} // namespace

TEST_SUITE("compiler.formats") {
    TEST_CASE("a list of formats is brought into one order, each once") {
        CHECK(names_of("host-elf;opencl-c;spirv-opencl;;host-elf") == "spirv-opencl host-elf ");
        CHECK(names_of("") == "");
        CHECK(names_of("all") == "opencl-c+offset spirv-opencl spirv-vulkan spirv-vulkan+offset host-elf ptx amdgcn ");
        CHECK(names_of("ptx;all") == names_of("all"));
    }

    TEST_CASE("the interface lists what all stands for") {
        std::string listed = qiao_compiler_get_formats();
        std::replace(listed.begin(), listed.end(), ';', ' ');
        CHECK(listed + " " == names_of("all"));
    }

    TEST_CASE("an unknown format is refused with those that there are") {
        const auto list = parse_formats("host-elf;cubin");
        REQUIRE_FALSE(list);
        CHECK(list.error().status == QIAO_ERROR_UNSUPPORTED);
        CHECK(list.error().message == "the format 'cubin' cannot be made");
        CHECK(support::contains(list.error().remedy, "opencl-c, opencl-c+offset, spirv-opencl, spirv-vulkan, spirv-vulkan+offset, host-elf, ptx and amdgcn, or all"));
    }

    TEST_CASE("all variants of a plain kernel, the same bytes each time") {
        auto request = desc(kScale);
        request.formats = "all";
        const Output one(request), two(request);
#if defined(__x86_64__)
        CHECK(formats_in(one) == std::vector<std::string>{"opencl-c", "opencl-c+offset", "spirv-opencl", "spirv-vulkan", "spirv-vulkan+offset",
                                                          "host-elf:x86_64-v2", "host-elf:x86_64-v3", "ptx:sm_60", "amdgcn:gfx906"});
#endif
        CHECK(one.log() == "");
        REQUIRE(one.bytes().size() == two.bytes().size());
        CHECK(std::equal(one.bytes().begin(), one.bytes().end(), two.bytes().begin()));
    }

    TEST_CASE("a package is at most 2 % larger than its variants and its source") {
        std::string source = "kernel void advance(global float* x, float f) {\n  const size_t i = get_global_id(0);\n";
        for (int i = 0; i < 25; ++i)
            source += "  if (x[i] > f)\n    x[i] = x[i + " + std::to_string(i) + "] * f;\n  else\n    x[i] = exp(x[i]) + f;\n";
        source += "}\n";
        auto request = desc(source);
        request.formats = "all";
        const Output output(request);
        const auto package = output.package();
        uint64_t bare = source.size();
        for (const auto& variant : package.variants())
            bare += variant.size;
        CAPTURE(bare);
        CHECK(output.bytes().size() <= bare + bare / 50);
    }

    TEST_CASE("with best effort a missing tool costs its variant, unless that is required") {
        const support::Environment no_spirv("QIAO_LLVM_SPIRV", "/nonexistent/llvm-spirv"), no_lld("QIAO_LLD", "/nonexistent/lld");
        auto request = desc(kScale);
        request.formats = "spirv-opencl;ptx;amdgcn";
        request.flags |= QIAO_COMPILER_BEST_EFFORT;
        const Output partial(request);
        CHECK(formats_in(partial) == std::vector<std::string>{"opencl-c", "opencl-c+offset", "ptx:sm_60"});
        const size_t first = partial.log().find("warning: spirv-opencl was left out: QIAO_LLVM_SPIRV names"),
                     second = partial.log().find("warning: amdgcn was left out: QIAO_LLD names");
        CHECK(first != std::string::npos);
        CHECK(second != std::string::npos);
        CHECK(first < second);
        request.formats = "ptx";
        request.required_formats = "amdgcn";
        const Output strict(request);
        CHECK(strict.status == QIAO_ERROR_UNSUPPORTED);
        CHECK(support::contains(strict.message(), "QIAO_LLD names"));
    }

    TEST_CASE("a tool that is not installed is named with its package") {
        for (const auto& [format, variable, package] : {std::tuple{"spirv-opencl", "QIAO_LLVM_SPIRV", "llvm-spirv-15"},
                                                        std::tuple{"ptx", "QIAO_LIBCLC", "libclc-15"},
                                                        std::tuple{"amdgcn", "QIAO_ROCM_DEVICE_LIBS", "rocm-device-libs"},
                                                        std::tuple{"amdgcn", "QIAO_LLD", "lld-15"}}) {
            CAPTURE(format);
            const support::Environment wrong(variable, "/nonexistent/tool");
            auto request = desc(kScale);
            request.formats = format;
            const Output output(request);
            CHECK(output.status == QIAO_ERROR_UNSUPPORTED);
            CHECK(support::contains(output.message(), std::string(variable) + " names '/nonexistent/tool'"));
        }
        // Without the variable, as on a machine that has clang alone.
        const auto root = support::directory();
        const std::string clang = *qiao::compiler::find_clang();
        REQUIRE(symlink(clang.c_str(), (root / "clang-15").c_str()) == 0);
        const support::Environment path("PATH", root.path());
        auto request = desc(kScale);
        request.formats = "spirv-opencl";
        const Output output(request);
        CHECK(output.status == QIAO_ERROR_UNSUPPORTED);
        CHECK(support::contains(output.result.remedy, "apt install llvm-spirv-15"));
    }

    TEST_CASE("a tool that hangs costs its variant only") {
        const auto root = support::directory();
        support::write(root / "slow", "#!/bin/sh\nexec sleep 1000\n");
        REQUIRE(chmod((root / "slow").c_str(), 0700) == 0);
        const support::Environment slow("QIAO_LLVM_SPIRV", root / "slow");
        auto request = desc(kScale);
        request.formats = "spirv-opencl;ptx";
        request.time_limit_ns = UINT64_C(20) * 1000 * 1000 * 1000;
        request.flags |= QIAO_COMPILER_BEST_EFFORT;
        const Output partial(request);
        CHECK(formats_in(partial) == std::vector<std::string>{"opencl-c", "opencl-c+offset", "ptx:sm_60"});
        CHECK(support::contains(partial.log(), "spirv-opencl was left out: "));
        CHECK(support::contains(partial.log(), "did not end within the time limit"));
    }

    TEST_CASE("the tools of all formats are listed, each once") {
        qiao_compiler_output* output = nullptr;
        REQUIRE(qiao_compiler_check("all", &output) == QIAO_OK);
        qiao_compiler_result result = QIAO_COMPILER_RESULT_INIT;
        REQUIRE(qiao_compiler_output_query(output, &result) == QIAO_OK);
        const std::string log = result.log;
        for (const char* tool : {"clang: /", "llvm-spirv: /", "clspv pyclspv-0.0.1: ", "pocl 3.1: /", "libclc: /", "rocm-device-libs: /", "lld: /"})
            CHECK(support::contains(log, tool));
        CHECK(log.find("spirv-val: ") == log.rfind("spirv-val: "));
        qiao_compiler_output_release(output);
    }

    TEST_CASE("included files are listed, also from the cache") {
        const auto root = support::directory();
        support::write(root / "one.h", "#include \"two.h\"\n#include \"two.h\"\n");
        support::write(root / "two.h", "#pragma once\n");
        const std::string source = "#include \"one.h\"\n" + kScale, name = root / "main.cl", cache = root / "cache";
        auto request = desc(source);
        request.source_name = name.c_str();
        request.cache_directory = cache.c_str();
        request.flags = 0;
        for (const uint32_t cached : {0u, 1u}) {
            const Output output(request);
            CHECK(output.result.from_cache == cached);
            CHECK(std::string(output.result.included) == root / "one.h" + "\n" + (root / "two.h") + "\n");
        }
    }
}
