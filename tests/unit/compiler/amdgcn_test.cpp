// Code objects for AMD's cards: their own description against the package's, and damaged ones.
#include "code_object.h"
#include "support.h"

using support::contains;
using support::desc;
using support::Output;

namespace {

struct Built {
    std::string bytes;
    std::vector<std::string> metadata;
};

Built built(const std::string& source) {
    auto request = desc(source);
    request.formats = "amdgcn";
    const Output output(request);
    const auto package = output.package();
    const size_t index = package.variants().size() - 1;
    const auto blob = package.read(index);
    REQUIRE(blob);
    return {{reinterpret_cast<const char*>(blob->bytes.data()), blob->bytes.size()}, package.variants()[index].metadata};
}

const std::string kLocals =
    "kernel void k(global float* out, local float4* a, float3 v, local char* b) { local float own[64]; const int i = get_local_id(0);\n"
    "  own[i] = i; a[i] = 1; b[i] = 2; barrier(CLK_LOCAL_MEM_FENCE); out[get_global_id(0)] = own[63 - i] + a[0].x + b[0] + v.z; }\n";

} // namespace

TEST_SUITE("compiler.amdgcn") {
    TEST_CASE("a code object describes its kernels, and the package says what a launch needs") {
        const auto made = built(kLocals);
        CHECK(made.metadata == std::vector<std::string>{"locals=16,1;static=256;group=256"});
        const auto kernels = qiao::compiler::read_code_object(made.bytes);
        REQUIRE(kernels);
        REQUIRE(kernels->count("k") == 1);
        CHECK(kernels->at("k").arguments.size() == 4);
        CHECK(kernels->at("k").arguments[2].size == 16);
    }

    TEST_CASE("a required group size is its largest") {
        CHECK(built("kernel __attribute__((reqd_work_group_size(16, 8, 8))) void k(global int* x) { x[0] = 1; }").metadata[0] ==
              "locals=;static=0;group=1024");
    }

    TEST_CASE("a damaged code object is refused at every length") {
        const auto made = built(kLocals);
        CHECK_FALSE(qiao::compiler::read_code_object(""));
        CHECK_FALSE(qiao::compiler::read_code_object("no ELF file, but long enough to be taken for one: it has more than sixty-four bytes"));
        size_t read = 0;
        for (size_t size = 0; size < made.bytes.size(); size += 7)
            read += qiao::compiler::read_code_object(made.bytes.substr(0, size)) ? 1 : 0;
        CHECK(read == 0); // the table of sections is at the end
    }

    TEST_CASE("what cannot be had is refused by name") {
        const std::string printing = "kernel void talk(global int* a) { printf(\"%d\", a[0]); }",
                          missing = "int elsewhere(int); kernel void k(global int* a) { a[0] = elsewhere(a[1]); }";
        for (const auto& [source, reason] : {std::pair{printing, "kernel 'talk' needs printf"}, std::pair{missing, "has no elsewhere"}}) {
            auto request = desc(source);
            request.formats = "amdgcn";
            const Output output(request);
            CHECK(output.status == QIAO_ERROR_UNSUPPORTED);
            CHECK(contains(output.message(), reason));
        }
    }
}
