// Kernels named like a function of OpenCL C, and the list of those functions, which is compared with clang's own.
#include "builtins.h"
#include "formats.h"
#include "support.h"
#include "tools.h"

using qiao::compiler::is_builtin_function;
using support::contains;
using support::Output;

namespace {

/* opencl-c.h of the clang that compiles, without comments and attributes. */
std::string clang_header() {
    const auto clang = qiao::compiler::find_clang();
    REQUIRE(clang);
    const auto root = std::filesystem::canonical(*clang).parent_path().parent_path() / "lib/clang";
    std::string text;
    for (const auto& version : std::filesystem::directory_iterator(root))
        if (qiao::compiler::read_file((version.path() / "include/opencl-c.h").string(), text)) break;
    INFO(root.string());
    REQUIRE_FALSE(text.empty());
    return text;
}

/* The function that a line declares: "float __ovld __cnfn acos(float);". Nothing in front of its name is in parentheses. */
std::string declared_in(const std::string& line) {
    const size_t mark = line.find(" __ovld "), end = line.find('(');
    if (line.starts_with('#') || mark == std::string::npos || end == std::string::npos || mark > end) return "";
    const size_t begin = line.find_last_of(" *", end) + 1;
    return line.substr(begin, end - begin);
}

bool is_of_a_vendor(const std::string& name) {
    return name.starts_with("amd_") || name.starts_with("arm_") || name.starts_with("intel_");
}

} // namespace

TEST_SUITE("compiler.builtins") {
    TEST_CASE("a kernel cannot have the name of a built-in function, whatever is made of it") {
        for (const char* name : {"min", "dot", "sin", "vload4", "convert_float4_sat_rte", "barrier", "atomic_add"}) {
            CAPTURE(name);
            const std::string source = std::string("kernel void ") + name + "(global float* x) { x[get_global_id(0)] = 1; }\n";
            std::vector<std::string> formats = {"opencl-c"};
            for (const auto& format : qiao::compiler::all_formats())
                formats.emplace_back(format.name);
            for (const std::string& format : formats) {
                CAPTURE(format);
                auto desc = support::desc(source);
                desc.formats = format.c_str();
                const Output output(desc);
                CHECK(output.status == QIAO_ERROR_BUILD);
                CHECK(output.message() == std::string("kernel '") + name + "' has the name of a function of OpenCL C, which reserves it");
                CHECK(std::string(output.result.remedy) == "rename the kernel");
            }
        }
    }

    TEST_CASE("names that only look like one are the user's own") {
        for (const char* name : {"minimum", "dots", "my_sin", "vload5", "convert_rgb", "convert_float5", "atomic_histogram", "kernel", ""}) {
            CAPTURE(name);
            CHECK_FALSE(is_builtin_function(name));
        }
    }

    TEST_CASE("every function that clang declares is known, but for vendors' extensions") {
        std::istringstream header(clang_header());
        size_t count = 0;
        for (std::string line; std::getline(header, line);) {
            const std::string name = declared_in(line);
            if (name.empty() || is_of_a_vendor(name)) continue;
            CAPTURE(line);
            CHECK(is_builtin_function(name));
            ++count;
        }
        CHECK(count > 5000);
    }
}
