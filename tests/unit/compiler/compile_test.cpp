// The C interface: results, diagnostics, bad requests, missing tools, time limits, and that nothing is left behind.
#include <sys/stat.h>

#include <set>

#include "support.h"

using support::contains;
using support::Output;

namespace {

const std::string kScale = "kernel void scale(global float* x, float f) {\n  x[get_global_id(0)] *= f;\n}\n";

std::set<std::string> names_in(const std::string& directory) {
    std::set<std::string> names;
    for (const auto& each : std::filesystem::directory_iterator(directory))
        names.insert(each.path().filename());
    return names;
}

} // namespace

TEST_SUITE("compiler.compile") {
    TEST_CASE("a package has the complete source, ready for any OpenCL compiler") {
        const auto root = support::directory();
        support::write(root / "factor.h", "#define FACTOR 2\n");
        const std::string source = "#include \"factor.h\"\nkernel void k(global int* x) { x[0] = FACTOR * N; }\n";
        auto desc = support::desc(source);
        const std::string name = root / "main.cl";
        desc.source_name = name.c_str();
        desc.options = "-DN=5 -cl-mad-enable";
        const auto package = Output(desc).package();
        CHECK(package.source_name() == name);
        CHECK(package.options() == "-cl-std=CL1.2 -cl-mad-enable");
        REQUIRE(package.variants().size() == 2);
        CHECK(package.variants()[0].format == "opencl-c");
        CHECK(package.variants()[1].format == "opencl-c+offset");
        CHECK(package.options_of(0) == package.options());
        CHECK(package.options_of(1) == package.options() + " -DQIAO_OFFSET");
        // Compiled again from what the package says, without files and -D, it is the same kernel.
        const std::string complete = *package.source();
        auto again = support::desc(complete);
        again.options = package.options().c_str();
        CHECK(Output(again).package().kernels() == package.kernels());
    }

    TEST_CASE("errors name the user's file and line") {
        const Output output(support::desc("kernel void k(global int* x) {\n  x[0] = 1;\n  x[1] = y;\n  z();\n}\n"));
        CHECK(output.status == QIAO_ERROR_BUILD);
        CHECK(output.result.line == 3);
        CHECK(output.message() == "test.cl:3:10: use of undeclared identifier 'y' (and 1 more error)");
        CHECK(contains(output.log(), "test.cl:4:3: error:"));
        CHECK(contains(output.log(), "x[1] = y;"));
    }

    TEST_CASE("errors in included files and in definitions name those") {
        const auto root = support::directory();
        support::write(root / "bad.h", "// good\n\nconstant int bad = ;\n");
        const std::string source = "#include \"bad.h\"\nkernel void k() {}\n", name = root / "main.cl";
        auto desc = support::desc(source);
        desc.source_name = name.c_str();
        const Output included(desc);
        CHECK(included.result.line == 3);
        CHECK(contains(included.message(), root / "bad.h" + ":3:20: expected expression"));
        auto defined = support::desc(kScale);
        defined.options = "-D'float=('";
        CHECK(Output(defined).status == QIAO_ERROR_BUILD);
    }

    TEST_CASE("an include that is not found is an error of its line") {
        const Output output(support::desc("\n#include \"nowhere.h\"\nkernel void k() {}\n"));
        CHECK(output.status == QIAO_ERROR_BUILD);
        CHECK(output.result.line == 2);
        CHECK(contains(output.message(), "'nowhere.h' file not found"));
    }

    TEST_CASE("warnings are in the log of a success, or errors if asked for") {
        const std::string source = "kernel void k(global int* x) {\n#warning look here\n  x[0] = 1; }\n";
        const Output warned(support::desc(source));
        CHECK(warned.status == QIAO_OK);
        CHECK(contains(warned.log(), "test.cl:2:2: warning: look here"));
        auto strict = support::desc(source);
        strict.options = "-Werror";
        const Output refused(strict);
        CHECK(refused.status == QIAO_ERROR_BUILD);
        CHECK(refused.result.line == 2);
    }

    TEST_CASE("a source without kernels is an error") {
        const Output output(support::desc("int f() { return 1; }"));
        CHECK(output.status == QIAO_ERROR_BUILD);
        CHECK(output.message() == "the source has no kernel");
    }

    TEST_CASE("bad requests are named") {
        const auto refusal = [](auto change, qiao_status status) {
            auto desc = support::desc(kScale);
            change(desc);
            const Output output(desc);
            CHECK(output.status == status);
            return output.message();
        };
        using Desc = qiao_compiler_desc;
        CHECK(refusal([](Desc& d) { d.source = nullptr; }, QIAO_ERROR_INVALID_ARGUMENT) == "desc.source is null");
        CHECK(refusal([](Desc& d) { d.source_size = 0; }, QIAO_ERROR_INVALID_ARGUMENT) == "the source is empty");
        CHECK(refusal([](Desc& d) { d.source_size = UINT64_C(1) << 40; }, QIAO_ERROR_OUT_OF_RANGE) ==
              "the source has 1099511627776 bytes, the limit is 16777216");
        CHECK(refusal([](Desc& d) { d.source = "a\0b", d.source_size = 3; }, QIAO_ERROR_INVALID_ARGUMENT) ==
              "the source has a NUL byte at offset 1");
        CHECK(refusal([](Desc& d) { d.source_name = "a\nb"; }, QIAO_ERROR_INVALID_ARGUMENT) ==
              "the source's name is empty or has control characters");
        CHECK(refusal([](Desc& d) { d.formats = "opencl-c;spirv"; }, QIAO_ERROR_UNSUPPORTED) ==
              "the format 'spirv' cannot be made");
        CHECK(refusal([](Desc& d) { d.options = "-O3"; }, QIAO_ERROR_INVALID_ARGUMENT) ==
              "the build option '-O3' is not known");
        CHECK(refusal([](Desc& d) { d.flags = 64; }, QIAO_ERROR_INVALID_ARGUMENT) == "desc.flags has unknown bits: 64");
        CHECK(refusal([](Desc& d) { d.next = &d; }, QIAO_ERROR_INVALID_ARGUMENT) == "desc.next is not null");
        CHECK(refusal([](Desc& d) { d.struct_size = 8; }, QIAO_ERROR_INVALID_ARGUMENT) == "desc.struct_size is 8");
        CHECK(Output(qiao_compiler_desc{}).message() == "desc.struct_size is 0");
    }

    TEST_CASE("null pointers are refused") {
        qiao_compiler_output* output = nullptr;
        CHECK(qiao_compiler_compile(nullptr, nullptr) == QIAO_ERROR_INVALID_ARGUMENT);
        CHECK(qiao_compiler_compile(nullptr, &output) == QIAO_ERROR_INVALID_ARGUMENT);
        REQUIRE(output != nullptr);
        CHECK(qiao_compiler_output_query(output, nullptr) == QIAO_ERROR_INVALID_ARGUMENT);
        qiao_compiler_result result = QIAO_COMPILER_RESULT_INIT;
        CHECK(qiao_compiler_output_query(nullptr, &result) == QIAO_ERROR_INVALID_ARGUMENT);
        result.struct_size = 0;
        CHECK(qiao_compiler_output_query(output, &result) == QIAO_ERROR_INVALID_ARGUMENT);
        qiao_compiler_output_release(output);
        qiao_compiler_output_release(nullptr);
    }

    TEST_CASE("structs of older and newer callers are understood") {
        struct Newer {
            qiao_compiler_desc desc;
            uint64_t added;
        } newer = {support::desc(kScale), 0};
        newer.desc.struct_size = sizeof newer;
        CHECK(Output(newer.desc).status == QIAO_OK);
        newer.added = 1;
        CHECK(contains(Output(newer.desc).message(), "that this library does not know"));

        auto older = support::desc(kScale);
        older.struct_size = offsetof(qiao_compiler_desc, cache_directory);
        older.cache_directory = reinterpret_cast<const char*>(1); /* not the caller's: never read */
        const support::Environment no_cache("XDG_CACHE_HOME", "relative");
        const support::Environment no_home("HOME", "relative");
        qiao_compiler_output* output = nullptr;
        REQUIRE(qiao_compiler_compile(&older, &output) == QIAO_OK);
        struct {
            qiao_compiler_result result;
            unsigned char canary[8];
        } guarded;
        std::memset(&guarded, 0xee, sizeof guarded);
        guarded.result.struct_size = offsetof(qiao_compiler_result, log);
        CHECK(qiao_compiler_output_query(output, &guarded.result) == QIAO_OK);
        CHECK(guarded.result.package != nullptr);
        CHECK(reinterpret_cast<unsigned char*>(&guarded.result.log)[0] == 0xee);
        CHECK(guarded.canary[0] == 0xee);
        qiao_compiler_output_release(output);
    }

    TEST_CASE("a missing tool is named with its package") {
        const support::Environment nowhere("PATH", "/nonexistent");
        const Output output(support::desc(kScale));
        CHECK(output.status == QIAO_ERROR_UNSUPPORTED);
        CHECK(output.message() == "'clang-15' was not found in /nonexistent");
        CHECK(contains(output.result.remedy, "apt install clang-15"));
        qiao_compiler_output* checked = nullptr;
        CHECK(qiao_compiler_check(nullptr, &checked) == QIAO_ERROR_UNSUPPORTED);
        qiao_compiler_output_release(checked);
    }

    TEST_CASE("a tool can be named, and a wrong name is an error") {
        const support::Environment wrong("QIAO_CLANG", "/nonexistent/clang");
        const Output output(support::desc(kScale));
        CHECK(output.status == QIAO_ERROR_UNSUPPORTED);
        CHECK(output.message() == "QIAO_CLANG names '/nonexistent/clang', which cannot be executed");
    }

    TEST_CASE("a format that cannot be made fails, or is left out if asked for") {
        const support::Environment wrong("QIAO_POCLCC", "/nonexistent/poclcc");
        auto desc = support::desc(kScale);
        desc.formats = "host-elf";
        const Output failed(desc);
        CHECK(failed.status == QIAO_ERROR_UNSUPPORTED);
        CHECK(contains(failed.message(), "QIAO_POCLCC"));
        desc.flags |= QIAO_COMPILER_BEST_EFFORT;
        const Output partial(desc);
        CHECK(partial.package().variants().size() == 2);
        CHECK(contains(partial.log(), "host-elf was left out: QIAO_POCLCC names"));
    }

    TEST_CASE("the tools are listed") {
        qiao_compiler_output* output = nullptr;
        REQUIRE(qiao_compiler_check(nullptr, &output) == QIAO_OK);
        qiao_compiler_result result = QIAO_COMPILER_RESULT_INIT;
        REQUIRE(qiao_compiler_output_query(output, &result) == QIAO_OK);
        CHECK(contains(result.log, "clang: /"));
        CHECK(contains(result.log, "pocl 3.1: /"));
        CHECK(result.package == nullptr);
        qiao_compiler_output_release(output);
    }

    TEST_CASE("the time limit ends a compilation") {
        const auto root = support::directory();
        support::write(root / "slow", "#!/bin/sh\nexec sleep 1000\n");
        REQUIRE(chmod((root / "slow").c_str(), 0700) == 0);
        const support::Environment slow("QIAO_CLANG", root / "slow");
        auto desc = support::desc(kScale);
        desc.time_limit_ns = 200 * 1000 * 1000;
        const Output output(desc);
        CHECK(output.status == QIAO_TIMEOUT);
        CHECK(contains(output.message(), "did not end within the time limit"));
    }

    TEST_CASE("a tool that crashes is reported") {
        const auto root = support::directory();
        support::write(root / "crash", "#!/bin/sh\necho dying >&2\nkill -SEGV $$\n");
        REQUIRE(chmod((root / "crash").c_str(), 0700) == 0);
        const support::Environment crash("QIAO_CLANG", root / "crash");
        const Output output(support::desc(kScale));
        CHECK(output.status == QIAO_ERROR_BUILD);
        CHECK(contains(output.message(), "was ended by signal 11"));
        CHECK(output.log() == "dying\n");
    }

    TEST_CASE("no temporary file is left, after success and after failure") {
        const auto root = support::directory();
        const support::Environment temporary("TMPDIR", root.path());
        auto desc = support::desc(kScale);
        CHECK(Output(desc).status == QIAO_OK);
        desc.source_size -= 3;
        CHECK(Output(desc).status == QIAO_ERROR_BUILD);
        CHECK(names_in(root.path()).empty());
    }

    TEST_CASE("a temporary directory that cannot be written is an error with a remedy") {
        const support::Environment nowhere("TMPDIR", "/nonexistent");
        const Output output(support::desc(kScale));
        CHECK(output.status == QIAO_ERROR_IO);
        CHECK(contains(output.result.remedy, "TMPDIR"));
    }

    TEST_CASE("equal sources give equal packages") {
        const Output one(support::desc(kScale)), two(support::desc(kScale));
        CHECK(std::equal(one.bytes().begin(), one.bytes().end(), two.bytes().begin(), two.bytes().end()));
    }
}
