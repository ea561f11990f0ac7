// qiao::span: what functions that take one may be given. The same for the library's and for the layer's own.
#include <array>
#include <numeric>
#include <vector>

#include "support/session.h"

using qiao::span;

static_assert((__cplusplus >= 202002L) == (QIAO_TEST_STANDARD >= 20), "a library raised the standard: then the layer's own span is not tested");

static_assert(std::is_convertible_v<std::vector<int>&, span<int>> && std::is_convertible_v<std::vector<int>&, span<const int>>);
static_assert(std::is_convertible_v<const std::vector<int>&, span<const int>> && std::is_convertible_v<span<int>, span<const int>>);
static_assert(!std::is_convertible_v<const std::vector<int>&, span<int>> && !std::is_convertible_v<span<const int>, span<int>>);
static_assert(!std::is_convertible_v<std::vector<int>&, span<const float>> && !std::is_convertible_v<std::vector<int>, span<int>>);
static_assert(std::is_convertible_v<int (&)[3], span<int>> && std::is_convertible_v<const std::array<int, 3>&, span<const int>>);

TEST_SUITE("span.access") {
    TEST_CASE("elements, ends and parts") {
        std::vector<int> values{1, 2, 3, 4, 5};
        const span<int> all(values);
        CHECK(all.size() == 5);
        CHECK(all.size_bytes() == 20);
        CHECK(std::accumulate(all.begin(), all.end(), 0) == 15);
        all[0] = 10;
        CHECK(values[0] == 10);
        CHECK(all.first(2).size() == 2);
        CHECK(all.subspan(3)[0] == 4);
        CHECK(all.subspan(1, 2)[1] == 3);
        CHECK(span<int>().empty());
        CHECK(span<int>().data() == nullptr);
    }
}
