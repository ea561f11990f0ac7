// Vulkan variants: that clspv's modules agree with the package, and what becomes of kernels that clspv cannot compile.
#include <algorithm>

#include "keep_arguments.h"
#include "spirv.h"
#include "spirv_words.h"
#include "support.h"

using support::contains;
using support::desc;
using support::Environment;
using support::Output;

namespace {

qiao_compiler_desc vulkan(const std::string& source, uint64_t flags = QIAO_COMPILER_NO_CACHE, const char* format = "spirv-vulkan") {
    qiao_compiler_desc made = desc(source);
    made.formats = format;
    made.flags = flags;
    return made;
}

/* The one Vulkan variant of a package. */
qiao::package::Variant variant_of(const Output& output) {
    INFO(output.message() << output.log());
    REQUIRE(output.status == QIAO_OK);
    const auto package = output.package();
    for (const auto& variant : package.variants())
        if (variant.format.rfind("spirv-vulkan", 0) == 0) return variant;
    FAIL("the package has no Vulkan variant");
    return {};
}

/* The metadata of a source's first kernel, for devices without addresses. */
std::string offset_metadata(const std::string& source) {
    return variant_of(Output(vulkan(source, QIAO_COMPILER_NO_CACHE, "spirv-vulkan+offset"))).metadata[0];
}

constexpr const char* kScale = R"(
kernel void scale(global float* data, float factor) { data[get_global_id(0)] *= factor; }
)";

} // namespace

TEST_SUITE("compiler.spirv_vulkan") {
    TEST_CASE("a variant is SPIR-V 1.5, and its metadata says where arguments and constants are") {
        const std::string source = kScale;
        const Output output(vulkan(source));
        const auto variant = variant_of(output);
        CHECK(variant.tool == "pyclspv-0.0.1");
        CHECK(variant.target.empty());
        REQUIRE(variant.metadata.size() == 1);
        CHECK(variant.metadata[0] == "arguments=push;group=0,1,2;offset=3,4,5;dimensions=-;locals=");
        const auto package = output.package();
        size_t index = 0;
        while (package.variants()[index].format != "spirv-vulkan") ++index;
        const auto blob = package.read(index);
        REQUIRE(blob);
        uint32_t head[2];
        REQUIRE(blob->bytes.size() > sizeof head);
        std::memcpy(head, blob->bytes.data(), sizeof head);
        CHECK(head[0] == 0x07230203);
        CHECK(head[1] == 0x00010500);
    }

    TEST_CASE("local arguments are specialisation constants, counted in elements") {
        const std::string source =
            "kernel void k(global float* out, local float4* a, local char* b) { a[get_local_id(0)] = 1; b[get_local_id(0)] = 2;"
            " barrier(CLK_LOCAL_MEM_FENCE); out[get_global_id(0)] = a[0].x + b[0]; }";
        const auto variant = variant_of(Output(vulkan(source)));
        CHECK(contains(variant.metadata[0], ";locals=3:16,4:1"));
    }

    TEST_CASE("a global offset and the number of dimensions are specialisation constants") {
        const std::string source =
            "kernel void k(global uint* out) { out[get_global_id(0) - get_global_offset(0)] = get_work_dim(); }";
        const auto variant = variant_of(Output(vulkan(source)));
        CHECK(!contains(variant.metadata[0], "offset=-"));
        CHECK(!contains(variant.metadata[0], "dimensions=-"));
    }

    TEST_CASE("more than 128 bytes of arguments are a uniform block") {
        std::string source = "kernel void k(global int* out";
        for (int i = 0; i < 17; ++i) source += ", global int* p" + std::to_string(i);
        source += ", float4 v, char c) { out[0] = v.x + c";
        for (int i = 0; i < 17; ++i) source += " + *p" + std::to_string(i);
        source += "; }";
        CHECK(contains(variant_of(Output(vulkan(source))).metadata[0], "arguments=uniform:0;"));
    }

    TEST_CASE("structs by value lie where the front end puts them") {
        const std::string source =
            "struct p { char tag; int a; long b; float c; short d[3]; };\n"
            "kernel void k(global int* out, char first, struct p p, ushort last) { out[0] = p.tag + p.a + (int)p.b + p.d[2] + "
            "first + last; }";
        CHECK(contains(variant_of(Output(vulkan(source))).metadata[0], "arguments=push;"));
    }

    TEST_CASE("pointer arguments that nothing uses are kept, whatever their address space") {
        const std::string source =
            "#define KERNEL(name) kernel __attribute__((reqd_work_group_size(8, 1, 1))) void name\n"
            "void helper(global int* a) { a[0] = ')'; }\n"
            "KERNEL(k)(global int* a, const global float* unused, constant int* table, local int* scratch, global int* last)\n"
            "{ helper(a); last[0] = 1; }\n"
            "kernel void later(global int* a) {}\n";
        const Output output(vulkan(source));
        CHECK(contains(variant_of(output).metadata[0], ";locals="));
        CHECK(output.package().kernels()[0].arguments.size() == 5);
    }

    TEST_CASE("64-bit atomics are declared, and the module is valid") {
        const std::string source =
            "#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable\n"
            "kernel void k(global long* cell) { atom_add(cell, 3L); }";
        CHECK((variant_of(Output(vulkan(source))).features & QIAO_FEATURE_INT64_ATOMICS) != 0);
    }

    TEST_CASE("what a Vulkan variant cannot have is refused by name") {
        const std::string source = "kernel void ask(global uint* a) { a[0] = get_sub_group_size(); }";
        const Output output(vulkan(source));
        CHECK(output.status == QIAO_ERROR_UNSUPPORTED);
        CHECK(contains(output.message(), "'ask' needs subgroups"));
        const std::string threes = "kernel void talk(global short3* a) { printf(\"%v3hd %d\\n\", a[0], 1); }";
        const Output printing(vulkan(threes));
        CHECK(printing.status == QIAO_ERROR_UNSUPPORTED);
        CHECK(contains(printing.message(), "over a short3 that is printed"));
    }

    TEST_CASE("a kernel that prints finds its buffer in front of its arguments, and its formats in the metadata") {
        const std::string source =
            "kernel void talk(global int* a) { printf(\"%d, %s;\\n\", a[0], \"50%\"); }\n"
            "kernel void quiet(global int* a) { a[0] = 1; }\n";
        const auto variant = variant_of(Output(vulkan(source)));
        CHECK((variant.features & QIAO_FEATURE_PRINTF) != 0);
        REQUIRE(variant.metadata.size() == 2);
        CHECK(contains(variant.metadata[0], "arguments=push:8;"));
        CHECK(contains(variant.metadata[0], ";output=push:0:1048576;calls=4.4:%25d%2C %25s%3B%0A,:50%25"));
        CHECK(contains(variant.metadata[1], "arguments=push:8;"));
        CHECK(!contains(variant.metadata[1], "output="));
    }

    TEST_CASE("arguments of 16 bytes stand where the code looks for them, which is not what clspv says") {
        const std::string source = "kernel void talk(global int* a, int4 v) { printf(\"%d\", a[0]); a[0] = v.w; }\n";
        CHECK(contains(variant_of(Output(vulkan(source))).metadata[0], "arguments=push:8;"));
    }

    TEST_CASE("without addresses what is printed goes to a buffer behind all others") {
        const std::string talk = "{ printf(\"hello\\n\"); a[0] = b[0]; }";
        CHECK(contains(offset_metadata("kernel void talk(global int* a, global int* b) " + talk),
                       ";buffers=0,1;output=binding:2:1048576;calls=:hello%0A"));
        CHECK(contains(offset_metadata("kernel void talk(global int* a, global int* b, float16 v, float16 w, char c) "
                                       "{ printf(\"%d\", a[0]); a[0] = b[0] + v.x + w.y + c; }"),
                       "arguments=uniform:2;"));
    }

    TEST_CASE("without clspv the variant is left out, with what to install") {
        const Environment moved("QIAO_CLSPV", "/nonexistent/library.so");
        const std::string source = kScale;
        const Output strict(vulkan(source));
        CHECK(strict.status == QIAO_ERROR_UNSUPPORTED);
        CHECK(contains(strict.message(), "QIAO_CLSPV names '/nonexistent/library.so'"));
        const Output partial(vulkan(source, QIAO_COMPILER_NO_CACHE | QIAO_COMPILER_BEST_EFFORT));
        CHECK(partial.status == QIAO_OK);
        CHECK(contains(partial.log(), "spirv-vulkan was left out"));
    }

    TEST_CASE("a library that is not clspv is refused with the loader's words") {
        const auto directory = support::directory();
        support::write(directory / "library.so", "no library");
        const Environment moved("QIAO_CLSPV", directory / "library.so");
        const std::string source = kScale;
        const Output output(vulkan(source));
        CHECK(output.status == QIAO_ERROR_UNSUPPORTED);
        CHECK(contains(output.message(), "cannot use clspv"));
        CHECK(contains(output.result.remedy, "pip install pyclspv==0.0.1"));
    }

    TEST_CASE("the check of tools names clspv") {
        qiao_compiler_output* output = nullptr;
        REQUIRE(qiao_compiler_check("spirv-vulkan", &output) == QIAO_OK);
        qiao_compiler_result result = QIAO_COMPILER_RESULT_INIT;
        REQUIRE(qiao_compiler_output_query(output, &result) == QIAO_OK);
        CHECK(contains(result.log, "clspv pyclspv-0.0.1: "));
        CHECK(contains(result.log, "spirv-val: "));
        qiao_compiler_output_release(output);
    }

    TEST_CASE("without addresses each pointer is a buffer, and its offset stands where the address did") {
        const std::string metadata = offset_metadata(
            "kernel void k(global const float* restrict a, char c, constant int* table, global void* unused, local float4* l,"
            " local int* unused_too) { l[0] = a[0] + c; barrier(CLK_LOCAL_MEM_FENCE); ((global float*)a)[1] = l[0].x + table[1]; }");
        CHECK(metadata == "arguments=push;group=0,1,2;offset=-,-,-;dimensions=-;locals=3:16,-;buffers=0,1,-");
    }

    TEST_CASE("without addresses more than 128 bytes of arguments are a uniform block behind the buffers") {
        std::string source = "kernel void k(global int* out, float16 v, float16 w, char c) { out[0] = v.x + w.y + c; }";
        CHECK(contains(offset_metadata(source), "arguments=uniform:1;"));
        CHECK(contains(offset_metadata(source), "buffers=0"));
    }

    TEST_CASE("without addresses a kernel may ask whether its pointers are null, up to four of them") {
        const auto source = [](int count) {
            std::string parameters = "global int* out", sum = "0";
            for (int i = 0; i < count; ++i) {
                parameters += ", global int* p" + std::to_string(i);
                sum += " + (p" + std::to_string(i) + " ? p" + std::to_string(i) + "[0] : 1)";
            }
            return "int value(global int* p) { return p ? p[1] : 7; }\n"
                   "kernel void k(" + parameters + ") { out[0] = " + sum + "; }";
        };
        CHECK(contains(offset_metadata(source(4)), "buffers=0,1,2,3,4"));
        const std::string five = source(5);
        const Output output(vulkan(five, QIAO_COMPILER_NO_CACHE, "spirv-vulkan+offset"));
        CHECK(output.status == QIAO_ERROR_UNSUPPORTED);
        CHECK(contains(output.message(), "'k' compares 5 arguments with null"));
    }

    TEST_CASE("without addresses none can be followed") {
        const std::string source = "kernel void follow(global ulong* list) { list[0] = *(global ulong*)list[1]; }";
        const Output output(vulkan(source, QIAO_COMPILER_NO_CACHE, "spirv-vulkan+offset"));
        CHECK(output.status == QIAO_ERROR_UNSUPPORTED);
        CHECK(contains(output.message(), "'follow' needs addresses inside data"));
    }

    // clspv 0.0.1 loses the sign of a constant step from one pointer to another; the other numbers stay as they are.
    TEST_CASE("steps back from a pointer are negative") {
        const std::string source = R"(
kernel void steps(global float* data, global ulong* masks) {
    int i = get_global_id(0);
    data[i] = data[i - 1] + data[i - 3] + data[i + 5];
    masks[i] ^= 0xfffffff0UL;
}
)";
        for (const char* format : {"spirv-vulkan", "spirv-vulkan+offset"}) {
            CAPTURE(format);
            const Output output(vulkan(source, QIAO_COMPILER_NO_CACHE, format));
            REQUIRE(variant_of(output).format == format);
            const auto package = output.package();
            std::vector<int64_t> constants;
            for (size_t i = 0; i < package.variants().size(); ++i) {
                if (package.variants()[i].format != format) continue;
                const auto bytes = package.read(i);
                REQUIRE(bytes);
                const auto words = qiao::compiler::spirv::words_of(std::string(reinterpret_cast<const char*>(bytes->bytes.data()), bytes->bytes.size()));
                REQUIRE(words);
                qiao::compiler::spirv::for_each(*words, [&](uint32_t operation, const uint32_t* word, uint32_t count) {
                    constexpr uint32_t kConstant = 43;
                    if (operation == kConstant && count == 5) constants.push_back(static_cast<int64_t>(uint64_t{word[4]} << 32 | word[3]));
                });
            }
            const auto has = [&](int64_t value) { return std::find(constants.begin(), constants.end(), value) != constants.end(); };
            CHECK(has(-1));
            CHECK(has(-3));
            CHECK(has(5));
            CHECK(has(0xfffffff0));
            CHECK(!has(-16));
        }
    }

    TEST_CASE("a use is put into the definition, not into a prototype, a string or another function") {
        const std::string text =
            "void k(int* a);\n# 3 \"void k(int* a) {\"\nvoid kk(int* a) { k(a); }\nchar* s = \"k() {\";\n"
            "void k(int* a) __attribute__((x(1))) { }\n";
        const std::string kept = qiao::compiler::keep_arguments(text, {{"k", "a", "global"}, {"k", "", "global"}});
        const std::string use = " if (get_work_dim() == 0) { volatile uint kept = *(volatile global uint*)(a); }";
        std::string expected = text;
        expected.insert(expected.find("((x(1))) {") + 10, use);
        CHECK(kept == expected);
        CHECK(qiao::compiler::keep_arguments("int x;", {{"k", "a", "global"}}) == "int x;");
    }
}
