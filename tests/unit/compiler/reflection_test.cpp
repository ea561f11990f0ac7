// What the manifest says of kernels, against what clang makes of the same types in C.
#include <algorithm>

#include "process.h"
#include "support.h"
#include "tools.h"

using namespace qiao::compiler;
using qiao::package::Argument;
using qiao::package::Kernel;
using support::Output;

namespace {

Kernel only_kernel(const std::string& source, const char* options = nullptr) {
    auto desc = support::desc(source);
    desc.options = options;
    const auto package = Output(desc).package();
    REQUIRE(package.kernels().size() == 1);
    return package.kernels()[0];
}

qiao_features features(const std::string& source) {
    return only_kernel(source).features;
}

std::string refusal(const std::string& source, qiao_status status, const char* options = nullptr) {
    auto desc = support::desc(source);
    desc.options = options;
    const Output output(desc);
    CHECK(output.status == status);
    return output.message();
}

/* The numbers of `const unsigned numbers[]` in a C source, as clang compiles it for this machine. */
std::vector<uint32_t> numbers_of(const std::string& source) {
    const auto home = support::directory();
    support::write(home / "block.c", source);
    const auto clang = find_clang();
    REQUIRE(clang);
    const auto done = run(Command{{*clang, "-S", "-O0", home / "block.c", "-o", "-"}, {}, home.path()},
                          std::chrono::steady_clock::now() + std::chrono::minutes(1));
    INFO(done.errors);
    REQUIRE(done.ok());
    std::vector<uint32_t> numbers;
    for (size_t at = done.output.find(".long"); at != std::string::npos; at = done.output.find(".long", at + 1))
        numbers.push_back(static_cast<uint32_t>(std::stoul(done.output.substr(at + 5))));
    return numbers;
}

const std::string kTypes = R"(
struct __attribute__((packed)) tight { char a; double d; short s; };
struct inner { float3 v; char c; };
struct outer { char c; struct inner inner[2]; double d; };
struct __attribute__((aligned(64))) wide { int x; };
union either { int i; double d; char c[11]; };
enum colour { red, green };
)";

/* Arguments whose C types are the same in OpenCL and in clang's C with vector extensions. */
const std::vector<std::pair<const char*, const char*>> kMembers = {
    {"char", "c"},          {"double", "d"},       {"uchar3", "u3"},   {"half", "h"},         {"float3", "f3"},
    {"short", "s"},         {"struct tight", "t"}, {"int", "i"},       {"struct outer", "o"}, {"half4", "h4"},
    {"char2", "c2"},        {"double3", "d3"},     {"ushort", "us"},   {"struct wide", "w"},  {"uchar", "uc"},
    {"union either", "un"}, {"enum colour", "e"},  {"ulong16", "l16"}, {"char", "last"},
};

} // namespace

TEST_SUITE("compiler.reflection") {
    TEST_CASE("a block has the layout of the C struct, whatever is in it") {
        std::string parameters = "global float* p", fields = "void* p; ", offsets = "offsetof(struct block, p)";
        for (const auto& [type, name] : kMembers) {
            parameters += std::string(", ") + type + " " + name;
            fields += std::string(type) + " " + name + "; ";
            offsets += std::string(", offsetof(struct block, ") + name + ")";
        }
        const Kernel kernel =
            only_kernel("#pragma OPENCL EXTENSION cl_khr_fp16 : enable\n" + kTypes + "kernel void k(" + parameters +
                        ", local int* first, local int* second) { p[0] = d; }");
        const auto expected = numbers_of(
            "#include <stddef.h>\n"
            "typedef unsigned char uchar; typedef unsigned short ushort; typedef unsigned long ulong; typedef _Float16 "
            "half;\n"
            "#define VECTOR(type, n) typedef type type##n __attribute__((ext_vector_type(n)))\n"
            "VECTOR(uchar, 3); VECTOR(float, 3); VECTOR(half, 4); VECTOR(char, 2); VECTOR(double, 3); VECTOR(ulong, "
            "16);\n" +
            kTypes + "struct block { " + fields + "unsigned first, second; };\nconst unsigned numbers[] = { " +
            offsets + ", offsetof(struct block, first), offsetof(struct block, second), sizeof(struct block) };\n");
        REQUIRE(kernel.arguments.size() == kMembers.size() + 3);
        REQUIRE(expected.size() == kMembers.size() + 4);
        for (size_t i = 0; i < kernel.arguments.size(); ++i) {
            CAPTURE(kernel.arguments[i].name);
            CHECK(kernel.arguments[i].offset == expected[i]);
        }
        CHECK(kernel.block_size == expected.back());
    }

    TEST_CASE("names, types and kinds are the source's own") {
        const Kernel kernel = only_kernel(
            "typedef float real;\nstruct params { int n; };\n"
            "kernel void k(global const real* restrict x, constant int* table, local float4* l, struct params p, uint "
            "n) {}");
        REQUIRE(kernel.arguments.size() == 5);
        CHECK(kernel.arguments[0] ==
              Argument{"x", "global restrict const real*", QIAO_ARGUMENT_KIND_ADDRESS, QIAO_ACCESS_READ, 0, 8, 8});
        CHECK(kernel.arguments[1].type == "constant int*");
        CHECK(kernel.arguments[1].access == QIAO_ACCESS_READ);
        CHECK(kernel.arguments[2] == Argument{"l", "local float4*", QIAO_ARGUMENT_KIND_LOCAL, 0, 24, 4, 4});
        CHECK(kernel.arguments[3] == Argument{"p", "struct params", QIAO_ARGUMENT_KIND_VALUE, 0, 16, 4, 4});
        CHECK(kernel.arguments[4].type == "uint");
        CHECK(kernel.block_size == 32);
    }

    TEST_CASE("kernels come in the order of the source") {
        auto desc = support::desc("");
        const std::string source =
            "kernel void z() {} kernel void a() {} void helper() {} kernel void m() { helper(); }";
        desc.source = source.data();
        desc.source_size = source.size();
        const auto package = Output(desc).package();
        REQUIRE(package.kernels().size() == 3);
        CHECK(package.kernels()[0].name == "z");
        CHECK(package.kernels()[1].name == "a");
        CHECK(package.kernels()[2].name == "m");
        CHECK(package.kernels()[2].block_size == 0);
    }

    TEST_CASE("access is what the code does, or what it promises") {
        const Kernel kernel = only_kernel(
            "void unknown(global int* p);\n"
            "kernel void k(global int* r, global int* w, global int* rw, global const int* promised, global int* any) "
            "{\n"
            "  w[0] = r[0]; rw[0] += 1; any[0] = vload2(0, promised).x; unknown(any); }");
        CHECK(kernel.arguments[0].access == QIAO_ACCESS_READ);
        CHECK(kernel.arguments[1].access == QIAO_ACCESS_WRITE);
        CHECK(kernel.arguments[2].access == 0);
        CHECK(kernel.arguments[3].access == QIAO_ACCESS_READ);
        CHECK(kernel.arguments[4].access == 0);
    }

    TEST_CASE("group size and local memory are reported") {
        const Kernel kernel = only_kernel(
            "kernel __attribute__((reqd_work_group_size(8, 4, 2))) void k(global float* x) {\n"
            "  local char c; local float4 v[10]; size_t l = get_local_id(0); if (l == 0) c = (char)x[0]; v[l % 10] = "
            "x[l];\n"
            "  barrier(CLK_LOCAL_MEM_FENCE); x[l] = v[(l + 1) % 10].x + c; }");
        CHECK(kernel.required_group[0] == 8);
        CHECK(kernel.required_group[1] == 4);
        CHECK(kernel.required_group[2] == 2);
        CHECK(kernel.static_local_bytes == 16 + 160);
    }

    TEST_CASE("features are those the code needs, not those of the address arithmetic") {
        CHECK(features("kernel void k(global float* x) { x[get_global_id(0)] += 1.0f; }") == 0);
        CHECK(
            features(
                "kernel void k(global char* x, uint n) { size_t i = get_global_id(0); if (i < n) x[i] = vload_half(i, "
                "(global half*)x); }") == 0);
        CHECK(features("kernel void k(global double* x) { x[0] *= 2; }") == QIAO_FEATURE_FP64);
        CHECK(features("kernel void k(global float* x, double d) {}") == QIAO_FEATURE_FP64);
        CHECK(features("kernel void k(global long* x) { x[0] += 1; }") == QIAO_FEATURE_INT64);
        CHECK(features("struct s { int i; ulong l; }; kernel void k(global int* x, struct s s) { x[0] = s.i; }") ==
              QIAO_FEATURE_INT64);
        CHECK(features(
                  "#pragma OPENCL EXTENSION cl_khr_fp16 : enable\nkernel void k(global half* x) { x[0] *= x[1]; }") ==
              QIAO_FEATURE_FP16);
        CHECK(features("#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable\n"
                       "kernel void k(volatile global long* x) { atom_add(x, 3L); }") ==
              (QIAO_FEATURE_INT64 | QIAO_FEATURE_INT64_ATOMICS));
        CHECK(features("kernel void k(volatile global int* x) { atomic_add(x, 3); }") == 0);
        CHECK(features("kernel void k(global float* x) { printf(\"%f %d\\n\", x[0], 3); }") == QIAO_FEATURE_PRINTF);
        CHECK(features("#pragma OPENCL EXTENSION cl_khr_subgroups : enable\n"
                       "kernel void k(global uint* x) { x[0] = get_sub_group_size(); }") == QIAO_FEATURE_SUBGROUPS);
    }

    TEST_CASE("features are found in functions that a kernel calls, and only for that kernel") {
        const std::string source =
            "double deep(float f) { return (double)f * 2; }\nfloat middle(float f) { return (float)deep(f); }\n"
            "kernel void with(global float* x) { x[0] = middle(x[1]); }\nkernel void without(global float* x) { x[0] = "
            "1; }";
        const auto package = Output(support::desc(source)).package();
        CHECK(package.find_kernel("with")->features == QIAO_FEATURE_FP64);
        CHECK(package.find_kernel("without")->features == 0);
        CHECK(package.variants()[0].features == QIAO_FEATURE_FP64);
    }

    TEST_CASE("addresses inside data are a feature") {
        CHECK(features("struct node { global struct node* next; int v; };\n"
                       "kernel void k(global struct node* n, global int* out) { while (n) { out[0] += n->v; n = "
                       "n->next; } }") == QIAO_FEATURE_ADDRESSES);
        CHECK((features("kernel void k(global ulong* a, global int* out) { out[0] = *(global int*)a[0]; }") &
               QIAO_FEATURE_ADDRESSES) != 0);
        CHECK(features(
                  "struct two { global int* p; int v; };\n"
                  "kernel void k(global struct two* t, global int* out) { struct two c = t[1]; out[0] = c.p[0]; }") ==
              QIAO_FEATURE_ADDRESSES);
        // Private arrays of addresses hold what was passed directly.
        CHECK(
            features(
                "kernel void k(global int* a, global int* b, int n) { global int* p[2] = {a, b}; p[n & 1][0] = 1; }") ==
            0);
    }

    TEST_CASE("images, samplers and pipes are refused with that reason") {
        CHECK(refusal("kernel void k(read_only image2d_t picture) {}", QIAO_ERROR_UNSUPPORTED) ==
              "kernel 'k': argument 'picture' is of type image2d_t: images are not supported");
        CHECK(refusal("typedef sampler_t s_t; kernel void k(s_t s) {}", QIAO_ERROR_UNSUPPORTED) ==
              "kernel 'k': argument 's' is of type s_t: samplers are not supported");
        CHECK(refusal("kernel void k(read_only pipe int p) {}", QIAO_ERROR_UNSUPPORTED, "-cl-std=CL2.0") ==
              "kernel 'k': argument 'p' is of type int: pipes are not supported");
    }

    TEST_CASE("blocks over the limits are refused with the figures") {
        CHECK(refusal("struct s { char c[4097]; }; kernel void k(struct s s) {}", QIAO_ERROR_UNSUPPORTED) ==
              "kernel 'k': has an argument block of 4097 bytes, the limit is 4096");
        std::string many = "kernel void k(int a0";
        for (int i = 1; i <= 128; ++i)
            many += concat(", int a", i);
        CHECK(refusal(many + ") {}", QIAO_ERROR_UNSUPPORTED) == "kernel 'k': has 129 arguments, the limit is 128");
        CHECK(refusal("struct __attribute__((aligned(256))) s { int i; }; kernel void k(struct s s) {}",
                      QIAO_ERROR_UNSUPPORTED) ==
              "kernel 'k': argument 0 's' has alignment 256, not a power of two up to 128");
    }

    TEST_CASE("a source that insists on 64-bit pointers compiles, its integers are assumed to be wide") {
        CHECK(features("#ifndef __SPIR64__\n#error 64 bits only\n#endif\nkernel void k(global int* x) { x[0] = 1; }") ==
              QIAO_FEATURE_INT64);
    }
}
