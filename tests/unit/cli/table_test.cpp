// Tests of cli/table.h.
#include <doctest/doctest.h>

#include "cli/table.h"

using namespace qiao::cli;

TEST_SUITE_BEGIN("cli.table");

TEST_CASE("columns are as wide as their widest cell as shown") {
    Table table;
    table.add_row({"a", "\x1b[32m\xc3\xa4\x1b[0m", "x"});
    table.add_row({"bbb", "cc", ""});
    CHECK(table.text("> ") == "> a    \x1b[32m\xc3\xa4\x1b[0m   x\n> bbb  cc\n");
    CHECK(Table().text().empty());
}

TEST_CASE("sizes and times") {
    CHECK(bytes_text(0) == "0 B");
    CHECK(bytes_text(10239) == "10239 B");
    CHECK(bytes_text(2147483648u) == "2.0 GiB");
    CHECK(bytes_text(~0ull) == "16.0 EiB");
    CHECK(time_text(853) == "853 ns");
    CHECK(time_text(1240) == "1.24 us");
    CHECK(time_text(12.4e6) == "12.4 ms");
    CHECK(time_text(999.9e6) == "1.00 s");
}

TEST_CASE("control characters do not reach the terminal") {
    CHECK(printable("a\x1b[31mb\nc\x7f\xc3\xa4") == "a[31mb c\xc3\xa4");
}
