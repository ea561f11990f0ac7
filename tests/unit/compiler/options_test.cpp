// Build options: what is understood, what is refused.
#include "options.h"

#include "support.h"

using qiao::compiler::parse_options;

namespace {

std::string refusal(const char* text) {
    const auto options = parse_options(text);
    if (options) return "";
    CHECK(options.error().status == QIAO_ERROR_INVALID_ARGUMENT);
    CHECK_FALSE(options.error().remedy.empty());
    return options.error().message;
}

} // namespace

TEST_SUITE("compiler.options") {
    TEST_CASE("no options mean OpenCL C 1.2") {
        const auto options = parse_options("");
        REQUIRE(options);
        CHECK(options->flag_text() == "-cl-std=CL1.2");
        CHECK(options->definitions == "");
    }

    TEST_CASE("macros become text of the source, in their order") {
        const auto options = parse_options("-DA -D B=2 -DF(x,y)=x+y -UA -D C= -D'D=1 + 2' -DE=\"a b\" -DG=\\\"s\\\"");
        REQUIRE(options);
        CHECK(options->definitions ==
              "#define A 1\n#define B 2\n#define F(x,y) x+y\n#undef A\n#define C \n"
              "#define D 1 + 2\n#define E a b\n#define G \"s\"\n");
    }

    TEST_CASE("include directories and flags are kept apart") {
        const auto options = parse_options("-I one -Itwo -w -cl-std=CL3.0 -cl-mad-enable -cl-mad-enable -Werror");
        REQUIRE(options);
        CHECK(options->directories == std::vector<std::string>{"one", "two"});
        CHECK(options->flag_text() == "-cl-std=CL3.0 -w -cl-mad-enable");
        CHECK(options->warnings_are_errors);
    }

    TEST_CASE("what is not known is named") {
        CHECK(refusal("-O3") == "the build option '-O3' is not known");
        CHECK(refusal("-cl-std=CL9.9") == "the language 'CL9.9' of -cl-std=CL9.9 is not known");
        CHECK(refusal("-cl-intel-something") != "");
        CHECK(refusal("file.cl") != "");
        CHECK(refusal("-D") == "the build option -D has no value");
        CHECK(refusal("-I") == "the build option -I has no value");
        CHECK(refusal("-D1A=2") == "-D 1A=2 does not define a macro");
        CHECK(refusal("-DA-B=2") != "");
        CHECK(refusal("-D'A=1\n#include \"x\"'") != "");
        CHECK(refusal("-D'A=1") == "the build options have a ' without its end");
    }
}
