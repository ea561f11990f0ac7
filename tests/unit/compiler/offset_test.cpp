// The entries that take (buffer, offset) pairs: they are in every source, stay out of sight, and fit whatever the kernels take.
#include "support.h"

using support::contains;
using support::Output;

namespace {

const qiao::package::Variant* offset_variant(const qiao::package::Package& package) {
    for (const auto& variant : package.variants())
        if (variant.format == "opencl-c+offset") return &variant;
    return nullptr;
}

/* Keeps the source and the package's bytes as long as they are used. */
struct Compiled {
    explicit Compiled(std::string text, const char* with = nullptr, const char* formats = nullptr)
        : source(std::move(text)), output(make(source, with, formats)) {}
    static qiao_compiler_desc make(const std::string& source, const char* options, const char* formats) {
        auto desc = support::desc(source);
        desc.options = options;
        desc.formats = formats;
        return desc;
    }
    std::string source;
    Output output;
};

/* The package's source compiled again, with the entries as kernels of its own. */
Compiled seen_as_kernels(const qiao::package::Package& package) {
    return Compiled(*package.source(), (package.options() + " -DQIAO_OFFSET").c_str());
}

} // namespace

TEST_SUITE("compiler.offset") {
    TEST_CASE("each address becomes a buffer and an offset, everything else stays") {
        const Compiled compiled("typedef struct { float a; int b; } params;\n"
                                "enum colour { RED, BLUE };\n"
                                "kernel void k(global const volatile float* restrict x, params p, constant int* t,\n"
                                "              enum colour c, local float4* s, uchar3 v, unsigned long n) {\n"
                                "    s[0] = x[0] + t[0] + p.a + c + v.x + n;\n"
                                "}\n"
                                "kernel void nothing() {}\n");
        const auto package = compiled.output.package();
        REQUIRE(offset_variant(package) != nullptr);
        CHECK(offset_variant(package)->is_source);
        CHECK((offset_variant(package)->features & QIAO_FEATURE_INT64) != 0);
        CHECK(package.kernels().size() == 2); // the entries are not in the manifest
        const auto again = seen_as_kernels(package);
        const auto wrapped = again.output.package();
        REQUIRE(wrapped.kernels().size() == 4);
        const auto* at = wrapped.find_kernel("k__at");
        REQUIRE(at != nullptr);
        const auto& plain = package.kernels()[0].arguments;
        REQUIRE(at->arguments.size() == plain.size() + 2);
        std::vector<std::string> types;
        for (const auto& argument : at->arguments)
            types.push_back(argument.type);
        CHECK(types == std::vector<std::string>{"global char*", "ulong", "params", "constant char*", "ulong", "enum colour",
                                                "local void*", "uchar3", "ulong"});
        CHECK(at->arguments[2].size == plain[1].size);
        CHECK(at->arguments[7].alignment == plain[5].alignment);
        REQUIRE(wrapped.find_kernel("nothing__at") != nullptr);
        CHECK(wrapped.find_kernel("nothing__at")->arguments.empty());
    }

    TEST_CASE("group and subgroup sizes that a kernel insists on are the entry's too") {
        const Compiled compiled("kernel __attribute__((reqd_work_group_size(8, 4, 2))) void k(global int* x) { x[0] = 1; }\n"
                                "kernel __attribute__((intel_reqd_sub_group_size(16))) void s(global int* x) { x[0] = 1; }\n");
        const auto package = compiled.output.package();
        const auto again = seen_as_kernels(package);
        const auto wrapped = again.output.package();
        const auto* at = wrapped.find_kernel("k__at");
        REQUIRE(at != nullptr);
        CHECK(at->required_group[0] == 8);
        CHECK(at->required_group[1] == 4);
        CHECK(at->required_group[2] == 2);
        CHECK(contains(*package.source(), "intel_reqd_sub_group_size(16))) void s__at("));
    }

    TEST_CASE("a kernel with local arrays is there once more, with its own statements and those lines") {
        const Compiled compiled("#define T int\n"
                                "kernel void with(global T* restrict x, constant int *y, local T* z, int n) {\n"
                                "    local T mine[16]; // {\n"
                                "    mine[get_local_id(0)] = x[n] + y[0];\n"
                                "#if 1\n"
                                "    barrier(CLK_LOCAL_MEM_FENCE);\n"
                                "#endif\n"
                                "    x[0] = mine[n] + z[0];\n"
                                "} kernel void without(global int* x) {\n"
                                "    x[0] = __LINE__;\n"
                                "}\n"
                                "#undef T\n"
                                "#define T bool\n"
                                "kernel void with_more(global int* x) { local int v; v = x[0]; x[1] = v; }\n");
        const auto package = compiled.output.package();
        REQUIRE(offset_variant(package) != nullptr);
        const auto again = seen_as_kernels(package);
        const auto wrapped = again.output.package();
        REQUIRE(wrapped.kernels().size() == 6);
        const auto *plain = wrapped.find_kernel("with"), *at = wrapped.find_kernel("with__at");
        REQUIRE(at != nullptr);
        CHECK(at->arguments.size() == 6);
        CHECK(at->arguments[4].type == "local int*");
        CHECK(at->static_local_bytes == plain->static_local_bytes);
        CHECK(contains(*package.source(), "global int* x = (__global void*)(qiao_0 ? qiao_0 + qiao_0_offset : 0); local int v;"));
        // What stands behind an entry is where it was.
        const Compiled wrong(*package.source() + "kernel void bad() { y; }\n");
        CHECK(contains(wrong.output.message(), "test.cl:15:"));
        CHECK(contains(*package.source(), "#line 9 \"test.cl\"\n kernel void without("));
    }

    TEST_CASE("a kernel with local arrays that a macro makes has no entry") {
        const Compiled compiled("#define KERNEL(name) kernel void name(global int* x) { local int v; v = x[0]; x[1] = v; }\n"
                                "KERNEL(made)\n");
        CHECK(offset_variant(compiled.output.package()) == nullptr);
        CHECK(contains(compiled.output.log(), "kernel 'made' has local arrays, and its definition comes from a macro"));
        const Compiled named("#define NAME(x) x##_f32\n"
                             "kernel void NAME(some)(global int* x) { local int v; v = x[0]; x[1] = v; }\n");
        CHECK(offset_variant(named.output.package()) != nullptr);
    }

    TEST_CASE("every standard is understood") {
        for (const char* standard : {"-cl-std=CL1.2", "-cl-std=CL2.0", "-cl-std=CL3.0"}) {
            const Compiled compiled("kernel void k(global float4* x, constant float* y, local int* z) { x[0] = y[0] + z[0]; }\n",
                                    standard);
            CHECK(offset_variant(compiled.output.package()) != nullptr);
        }
    }

    TEST_CASE("a source that was taken out of a package is compiled again") {
        const Compiled first("kernel void k(global int* x) { x[0] = 1; }");
        const Compiled second(*first.output.package().source() + "kernel void more(global int* x) { x[0] = 2; }\n");
        const auto package = second.output.package();
        CHECK(package.kernels().size() == 2);
        REQUIRE(offset_variant(package) != nullptr);
        const auto again = seen_as_kernels(package);
        const auto wrapped = again.output.package();
        CHECK(wrapped.find_kernel("k__at") != nullptr);
        CHECK(wrapped.find_kernel("more__at") != nullptr);
    }

    TEST_CASE("where an entry cannot be, the variant is left out with the reason, or that is the error") {
        const char* source = "kernel void k(global int* x) { x[0] = 1; }\nvoid k__at(int n) {}\n";
        const Compiled left_out(source);
        const auto package = left_out.output.package();
        CHECK(offset_variant(package) == nullptr);
        CHECK(contains(left_out.output.log(), "opencl-c+offset was left out: a kernel cannot be entered"));
        CHECK(package.source()->find("QIAO_OFFSET") == std::string::npos);
        const Compiled failed(source, nullptr, "opencl-c+offset");
        CHECK(failed.output.status == QIAO_ERROR_UNSUPPORTED);
        CHECK(contains(failed.output.message(), "devices without addresses cannot run the program"));
        CHECK(contains(failed.output.log(), "<entry of k>"));
    }
}
