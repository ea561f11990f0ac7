// PTX: that NVIDIA's own assembler takes it, what was mended, and what is refused.
#include "process.h"
#include "ptx_text.h"
#include "support.h"

using support::contains;
using support::desc;
using support::Output;

namespace {

qiao_compiler_desc ptx(const std::string& source) {
    auto request = desc(source);
    request.formats = "ptx";
    return request;
}

struct Built {
    std::string text;
    std::vector<std::string> metadata;
};

Built built(const std::string& source, const char* options = nullptr) {
    auto request = ptx(source);
    request.options = options;
    const Output output(request);
    const auto package = output.package();
    const size_t index = package.variants().size() - 1;
    const auto blob = package.read(index);
    REQUIRE(blob);
    return {{reinterpret_cast<const char*>(blob->bytes.data()), blob->bytes.size()}, package.variants()[index].metadata};
}

void assemble(const std::string& text) {
    const auto root = support::directory();
    support::write(root / "k.ptx", text);
    const std::string assembler = QIAO_TEST_PTXAS;
    INFO("ptxas comes from tests/requirements.txt, which ./bootstrap setup installs");
    REQUIRE(std::filesystem::exists(assembler));
    for (const char* card : {"-arch=sm_60", "-arch=sm_90"}) {
        const auto finished = qiao::compiler::run(
            qiao::compiler::Command{{assembler, card, root / "k.ptx", "-o", root / "k.cubin"}, {}, root.path()},
            std::chrono::steady_clock::now() + std::chrono::seconds(60));
        CAPTURE(text);
        INFO(finished.output << finished.errors);
        CHECK(finished.ok());
    }
}

} // namespace

TEST_SUITE("compiler.ptx") {
    TEST_CASE("arguments of every kind are assembled, entries are visible") {
        const auto made = built(
            "typedef struct { char tag; int a; long b; } plain;\n"
            "kernel void k(global int* x, constant float* t, uchar c, short s, float f, double d, ulong u, int3 v3, double16 v16, plain p)"
            " { x[get_global_id(0)] = t[0] + c + s + f + d + u + v3.z + v16.sf + p.b; }\n"
            "kernel void none() {}\n");
        CHECK(contains(made.text, ".visible .entry k("));
        CHECK(contains(made.text, ".visible .entry none("));
        CHECK(contains(made.text, ".target sm_60\n"));
        CHECK(made.metadata == std::vector<std::string>{"locals=", "locals="});
        assemble(made.text);
    }

    TEST_CASE("local arguments are offsets into one dynamic array, beside the kernel's own local variables") {
        const auto made = built(
            "kernel void k(global float* out, local float4* a, local char* b) { local float own[64]; const int i = get_local_id(0);\n"
            "  own[i] = i; a[i] = 1; b[i] = 2; barrier(CLK_LOCAL_MEM_FENCE); out[i] = own[63 - i] + a[0].x + b[0]; }\n"
            "kernel void unused(local int* a, global int* x) { x[0] = 1; }\n");
        CHECK(contains(made.text, ".extern .shared .align 128 .b8 qiao_local[];"));
        CHECK(made.metadata == std::vector<std::string>{"locals=16,1", "locals=4"});
        assemble(made.text);
    }

    TEST_CASE("tables of constants are in global memory, where addresses that are passed are") {
        const auto made = built(
            "constant int table[4] = {1, 2, 3, 4};\n"
            "kernel void k(global int* x, constant int* passed, int w) { constant int* p = w ? passed : table; x[0] = p[get_global_id(0)]; }\n");
        CHECK(!contains(made.text, ".const"));
        assemble(made.text);
    }

    TEST_CASE("fp16, fp64, 64-bit atomics and unoptimised code are assembled") {
        assemble(built("#pragma OPENCL EXTENSION cl_khr_fp16 : enable\nkernel void h(global half* x) { x[0] = x[1] * x[2]; }\n").text);
        assemble(built("#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable\n"
                       "#pragma OPENCL EXTENSION cl_khr_int64_extended_atomics : enable\n"
                       "kernel void a(global long* x, local ulong* y, global double* d) { d[0] = sqrt(d[1]); atom_inc(x); x[1] = atom_xchg(x, 3L);\n"
                       "  atom_max(y, 4UL); atom_min(x, -1L); atom_dec(x); atom_sub(x, 2L); x[2] = atom_cmpxchg(x + 1, 2L, 3L) + atom_xor(y, 5UL); }\n").text);
        const std::string source = "kernel void k(local int* l, global int* x) { l[get_local_id(0)] = 1; barrier(1); x[0] = l[0]; }";
        assemble(built(source, "-cl-opt-disable").text);
    }

    TEST_CASE("a global offset is 0") {
        assemble(built("kernel void k(global uint* x) { x[get_global_id(0) - get_global_offset(0)] = get_global_offset(1); }").text);
    }

    TEST_CASE("what cannot be had is refused by name") {
        const std::string talk = "kernel void talk(global int* a) { printf(\"%d\", a[0]); }",
                          calls = "int elsewhere(int); kernel void k(global int* a) { a[0] = elsewhere(a[1]); }";
        const Output printing(ptx(talk));
        CHECK(printing.status == QIAO_ERROR_UNSUPPORTED);
        CHECK(contains(printing.message(), "kernel 'talk' needs printf, which PTX variants do not have"));
        const Output missing(ptx(calls));
        CHECK(missing.status == QIAO_ERROR_UNSUPPORTED);
        CHECK(contains(missing.message(), "elsewhere"));
    }

    TEST_CASE("a text of an unknown form is refused, not passed on") {
        const auto module = qiao::compiler::ptx::read(
            ".version 7.5\n.target sm_60, texmode_independent\n.address_size 64\n.entry k(\n\t.param .u64 .ptr .shared .align 4 k_param_0\n)\n{\n"
            "\tmov.b64 \t%rd1, k_param_0;\n}\n");
        REQUIRE_FALSE(module);
        CHECK(contains(module.error().message, "it uses the local argument k_param_0 in 'mov.b64"));
    }
}
