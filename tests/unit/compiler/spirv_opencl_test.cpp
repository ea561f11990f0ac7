// Modules for OpenCL: their version, that arguments of every kind agree with the package, and what is said when they do not.
#include "agreement.h"
#include "spirv.h"
#include "spirv_arguments.h"
#include "support.h"

using support::desc;
using support::Output;

namespace {

/* The words of the package's module. */
std::vector<uint32_t> module_of(const std::string& source) {
    auto request = desc(source);
    request.formats = "spirv-opencl";
    const Output output(request);
    const auto package = output.package();
    const auto blob = package.read(package.variants().size() - 1);
    REQUIRE(blob);
    const auto words = qiao::compiler::spirv::words_of({reinterpret_cast<const char*>(blob->bytes.data()), blob->bytes.size()});
    REQUIRE(words);
    return *words;
}

} // namespace

TEST_SUITE("compiler.spirv_opencl") {
    TEST_CASE("a module is SPIR-V 1.2 and has every kernel") {
        const auto words = module_of("kernel void a(global int* x) { x[0] = 1; }\nkernel void b(global int* x) { a(x); }\n");
        CHECK(words[1] == 0x00010200);
        const auto kernels = qiao::compiler::spirv::kernel_arguments(words);
        CHECK(kernels.size() == 2);
        CHECK(kernels.at("b").size() == 1);
    }

    TEST_CASE("arguments of every kind are read from the module") {
        const auto words = module_of(
            "typedef struct { char tag; int a; long b; short c[3]; float3 v; } plain;\n"
            "typedef struct __attribute__((packed)) { char tag; int a; } packed;\n"
            "kernel void k(global int* x, constant float* t, local double* l, uchar c, short s, float f, double d, ulong u, int3 v3, double16 v16,"
            " plain p, packed q) { x[0] = t[0] + l[0] + c + s + f + d + u + v3.z + v16.sf + p.c[2] + q.a; }\n");
        const auto seen = qiao::compiler::spirv::kernel_arguments(words).at("k");
        std::vector<std::pair<uint32_t, uint64_t>> read;
        for (const auto& argument : seen)
            read.emplace_back(argument.kind, argument.size);
        constexpr uint32_t value = QIAO_ARGUMENT_KIND_VALUE;
        CHECK(read == std::vector<std::pair<uint32_t, uint64_t>>{{QIAO_ARGUMENT_KIND_ADDRESS, 0}, {QIAO_ARGUMENT_KIND_ADDRESS, 0},
                                                                {QIAO_ARGUMENT_KIND_LOCAL, 0}, {value, 1}, {value, 2}, {value, 4}, {value, 8},
                                                                {value, 8}, {value, 16}, {value, 128}, {value, 48}, {value, 5}});
    }

    TEST_CASE("loops, optimised or not, give valid modules") {
        // At -O2 clang makes `freeze` of such a loop, which the translator does not know.
        const std::string source =
            "kernel void k(global int* x, int n) { int s = 0; for (int i = 0; i < n; ++i) { if (x[i] < 0) break; s += x[i] / n; }"
            " x[get_global_id(0)] = s; }\n";
        CHECK(module_of(source).size() > 100);
        CHECK(module_of("#pragma OPENCL EXTENSION cl_khr_fp16 : enable\nkernel void h(global half* x) { x[0] = x[1] * x[2]; }\n").size() > 50);
    }

    TEST_CASE("features that are extensions of OpenCL give valid modules") {
        CHECK(module_of("#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable\nkernel void k(global long* x) { atom_add(x, 1L); }\n").size() > 50);
        CHECK(module_of("kernel void k(global int* x) { printf(\"%d\", x[0]); }\n").size() > 50);
    }

    TEST_CASE("a variant that disagrees is refused with the place") {
        using namespace qiao::compiler;
        qiao::package::Kernel kernel;
        kernel.name = "k";
        kernel.arguments = {{"x", "global int*", QIAO_ARGUMENT_KIND_ADDRESS, 0, 0, 8, 8}, {"n", "int", QIAO_ARGUMENT_KIND_VALUE, 0, 8, 4, 4}};
        const SeenArgument address = {QIAO_ARGUMENT_KIND_ADDRESS, 0}, four = {QIAO_ARGUMENT_KIND_VALUE, 4}, eight = {QIAO_ARGUMENT_KIND_VALUE, 8};
        CHECK_FALSE(check_agreement("ptx", kernel, {address, four}));
        CHECK(check_agreement("ptx", kernel, {address})->message ==
              "the compiler of ptx does not agree with the package: kernel 'k' has 1 arguments there, and 2 here");
        CHECK(support::contains(check_agreement("ptx", kernel, {address, eight})->message, "argument 1 of 8 bytes there, and of 4 here"));
        CHECK(support::contains(check_agreement("ptx", kernel, {four, four})->message, "argument 0 as a value there, and as an address here"));
    }
}
