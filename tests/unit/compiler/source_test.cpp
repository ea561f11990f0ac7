// Complete sources: includes in place, names and lines kept, nothing expanded that the preprocessor would not see.
#include "source.h"

#include "support.h"

using namespace qiao::compiler;
using support::contains;

namespace {

/* Completes `text` as the file main.cl of the directory. */
Outcome<std::string> complete(const TemporaryDirectory& in, const std::string& text, const Options& options = {}) {
    auto complete = complete_source(text, in / "main.cl", options);
    if (!complete) return complete.error();
    return std::move(complete->text);
}

} // namespace

TEST_SUITE("compiler.source") {
    TEST_CASE("a plain source gets its name and nothing else") {
        const auto text = complete_source("a\nb", "dir/\"odd\\name.cl", {});
        REQUIRE(text);
        CHECK(text->text == "#line 1 \"dir/\\\"odd\\\\name.cl\"\na\nb\n");
    }

    TEST_CASE("definitions stand in front") {
        Options options;
        options.definitions = "#define N 4\n";
        CHECK(complete_source("a", "m.cl", options)->text == "#line 1 \"<options>\"\n#define N 4\n#line 1 \"m.cl\"\na\n");
    }

    TEST_CASE("included files stand in place, found beside the including file and in -I directories") {
        const auto root = support::directory();
        std::filesystem::create_directories(root / "sub/deep");
        support::write(root / "beside.h", "#include \"sub/one.h\"\n");
        support::write(root / "sub/one.h", "one\n#include \"deep/two.h\"\n");
        support::write(root / "sub/deep/two.h", "two");
        support::write(root / "sub/angle.h", "angle\n");
        Options options;
        options.directories = {root / "sub"};
        const auto text = complete(root, "#include \"beside.h\" // why\n  #  include <angle.h>\nend\n", options);
        REQUIRE(text);
        CHECK(*text == concat("#line 1 \"", root / "main.cl", "\"\n#line 1 \"", root / "beside.h", "\"\n#line 1 \"",
                              root / "sub/one.h", "\"\none\n#line 1 \"", root / "sub/deep/two.h", "\"\ntwo\n#line 2 \"",
                              root / "sub/one.h", "\"\n\n#line 1 \"", root / "beside.h", "\"\n\n#line 1 \"",
                              root / "main.cl", "\"\n // why\n#line 1 \"", root / "sub/angle.h",
                              "\"\nangle\n#line 2 \"", root / "main.cl", "\"\n\nend\n"));
    }

    TEST_CASE("what is not found stays for the compiler to judge") {
        const auto root = support::directory();
        const auto text = complete(root, "#if 0\n#include \"missing.h\"\n#endif\n");
        REQUIRE(text);
        CHECK(contains(*text, "\n#include \"missing.h\"\n"));
    }

    TEST_CASE("comments, strings and continued lines hold no directives") {
        const auto root = support::directory();
        support::write(root / "a.h", "SEEN\n");
        for (const char* text : {"/*\n#include \"a.h\"\n*/\n", "// x \\\n#include \"a.h\"\n",
                                 "#define X \\\n#include \"a.h\"\n", "\"/*\"; /* \" */ x /*\n#include \"a.h\"\n*/"}) {
            CAPTURE(text);
            const auto done = complete(root, text);
            REQUIRE(done);
            CHECK_FALSE(contains(*done, "SEEN"));
        }
        for (const char* text : {"\"/*\";\n#include \"a.h\"\n", "// /*\n#include \"a.h\"\n",
                                 "'\"'; \"\\\"/*\"\n#include \"a.h\"\n", "/* */\r\n#include \"a.h\"\r\n"}) {
            CAPTURE(text);
            const auto done = complete(root, text);
            REQUIRE(done);
            CHECK(contains(*done, "SEEN"));
        }
    }

    TEST_CASE("#pragma once and include guards allow a file to meet itself") {
        const auto root = support::directory();
        support::write(root / "once.h", "#pragma once\n#include \"once.h\"\nONCE\n");
        support::write(root / "guard.h",
                       "// head\n#ifndef GUARD_H\n#define GUARD_H\n#include \"guard.h\"\nGUARD\n#endif\n");
        const auto text = complete(root, "#include \"once.h\"\n#include \"once.h\"\n#include \"guard.h\"\n");
        REQUIRE(text);
        CHECK(contains(*text, "#ifndef QIAO_INCLUDED_0\n#define QIAO_INCLUDED_0\n"));
        CHECK_FALSE(contains(*text, "QIAO_INCLUDED_1"));
        CHECK_FALSE(contains(*text, "#pragma once"));
    }

    TEST_CASE("a file that includes itself without a guard is an error with its place") {
        const auto root = support::directory();
        support::write(root / "loop.h", "x\n#include \"loop.h\"\n");
        const auto text = complete(root, "#include \"loop.h\"\n");
        REQUIRE_FALSE(text);
        CHECK(text.error().status == QIAO_ERROR_BUILD);
        CHECK(text.error().line == 2);
        CHECK(contains(text.error().message, "loop.h:2: '"));
        CHECK(contains(text.error().message, "includes itself"));
    }

    TEST_CASE("headers that multiply are stopped at the limit") {
        const auto root = support::directory();
        for (int i = 0; i < 40; ++i)
            support::write(root / concat("h", i, ".h"),
                           concat("#include \"h", i + 1, ".h\"\n#include \"h", i + 1, ".h\"\n"));
        support::write(root / "h40.h", std::string(1000, 'x'));
        const auto text = complete(root, "#include \"h0.h\"\n");
        REQUIRE_FALSE(text);
        CHECK(text.error().status == QIAO_ERROR_OUT_OF_RANGE);
        CHECK(contains(text.error().message, "exceeds 16777216 bytes"));
    }

    TEST_CASE("a chain of 65 files is too deep") {
        const auto root = support::directory();
        for (int i = 0; i < 70; ++i)
            support::write(root / concat("h", i, ".h"), concat("#include \"h", i + 1, ".h\"\n"));
        const auto text = complete(root, "#include \"h0.h\"\n");
        REQUIRE_FALSE(text);
        CHECK(contains(text.error().message, "the 65th #include in a row"));
    }

    TEST_CASE("directories and binary files are not included") {
        const auto root = support::directory();
        std::filesystem::create_directory(root / "d.h");
        CHECK(contains(*complete(root, "#include \"d.h\"\n"), "#include \"d.h\""));
        support::write(root / "b.h", std::string_view("a\0b", 3));
        const auto text = complete(root, "#include \"b.h\"\n");
        REQUIRE_FALSE(text);
        CHECK(contains(text.error().message, "is not a text"));
    }
}
