// Levels of a profile: what they stand for one by one, and what is refused.
#include <doctest/doctest.h>

#include <map>
#include <string>

#include "mock/profile.h"

using namespace mock;

namespace {

Result<Profile> with_levels(const std::string& levels, int cards) {
    return parse_profile(R"({"cards": [{"name": "c", "kind": "discrete", "memory_bytes": 65536, "count": )" + std::to_string(cards) + R"(}], "topology": {"levels": )" + levels + "}}", "test");
}

void check_says(const std::string& levels, const char* words) {
    const Result<Profile> profile = with_levels(levels, 1);
    REQUIRE_FALSE(profile.ok());
    INFO(profile.status().message());
    CHECK(profile.status().message().find(words) != std::string::npos);
}

constexpr const char* kPair = R"([
    {"name": "box", "count": 2, "parts": [{"name": "switch", "kind": "switch", "count": 2}],
     "links": [{"from": "card", "to": "switch", "kind": "HSL", "bandwidth_bytes_per_s": {"value": 5, "grade": "assumed"}},
               {"from": "port", "to": "switch", "kind": "network", "match": "in turn"}]},
    {"name": "card", "count": 3, "parts": [{"name": "port", "kind": "port"}]}])";

} // namespace

TEST_SUITE("mock.topology") {
    TEST_CASE("every part is told once, inside what contains it") {
        const Result<Profile> profile = with_levels(kPair, 6);
        REQUIRE(profile.ok());
        const ExpandedTopology all = profile.value().topology->expand();
        std::map<std::string, size_t> places;
        for (size_t index = 0; index < all.vertices.size(); ++index) {
            const ExpandedTopology::Vertex& vertex = all.vertices[index];
            CHECK(places.emplace(vertex.path, index).second);
            if (vertex.parent != ExpandedTopology::kNone) CHECK(vertex.parent < index);
        }
        CHECK(all.vertices.size() == 2 * (1 + 2 + 3 + 3));
        const ExpandedTopology::Vertex& card = all.vertices[places.at("box1/card2")];
        CHECK(card.number == 5);
        CHECK(card.name == "card 2");
        CHECK(card.parent == places.at("box1"));
        CHECK(all.vertices[places.at("box0/card1/port")].parent == places.at("box0"));
    }

    TEST_CASE("links are with all parts, or with one in turn, of one's own instance") {
        const Result<Profile> profile = with_levels(kPair, 6);
        REQUIRE(profile.ok());
        const ExpandedTopology all = profile.value().topology->expand();
        std::map<LinkKind, int> counts;
        for (const ExpandedTopology::Link& link : all.links) {
            ++counts[all.rules[link.rule]->kind];
            CHECK(all.vertices[link.source].path.substr(0, 4) == all.vertices[link.target].path.substr(0, 4));
        }
        CHECK(counts[LinkKind::kHsl] == 2 * 3 * 2);
        CHECK(counts[LinkKind::kNetwork] == 2 * 3);
        CHECK(all.rules[0]->figures[0].second.value == 5);
    }

    TEST_CASE("built-in models have a place for each card") {
        for (const auto& [name, cards] : {std::pair("scalex_node", 4u), {"scalex_fragment", 40u}, {"scalex_cabinet", 640u}, {"scalex_cluster", 10240u}}) {
            const Result<Profile> profile = load_profile(name);
            REQUIRE(profile.ok());
            CHECK(profile.value().cards.size() == cards);
            CHECK(profile.value().topology->card_count() == cards);
        }
    }

    TEST_CASE("what is wrong is said") {
        check_says("[]", "topology.levels = []: must be a list of 1 to 8 levels");
        check_says(R"([{"name": "card", "count": 2}])", "topology has places for 2 cards, and there are 1");
        check_says(R"([{"count": 1}])", "topology.levels[0].name is missing");
        check_says(R"([{"name": "a/b"}])", "without '/'");
        check_says(R"([{"name": "card", "count": 16385}])", "topology.levels[0].count = 16385");
        check_says(R"([{"name": "a", "count": 16384}, {"name": "card", "count": 2}])", "more than 16384 instances");
        check_says(R"([{"name": "card", "speed": 1}])", "unknown key; known are name, count, parts, links");
        check_says(R"([{"name": "card", "parts": [{"name": "p", "kind": "plug"}]}])", "one of numa, package, switch, port");
        check_says(R"([{"name": "card", "parts": [{"name": "p", "kind": "port"}, {"name": "p", "kind": "port"}]}])", "two parts are called \"p\"");
        check_says(R"([{"name": "card", "links": [{"from": "card", "to": "nothing", "kind": "HSL"}]}])", "has no part \"nothing\" to link to");
        check_says(R"([{"name": "card", "parts": [{"name": "p", "kind": "port"}], "links": [{"from": "x", "to": "p", "kind": "HSL"}]}])", "has no \"x\" inside to link from");
        check_says(R"([{"name": "card", "parts": [{"name": "p", "kind": "port"}], "links": [{"from": "p", "to": "p", "kind": "HSL"}]}])", "linked with itself");
        check_says(R"([{"name": "card", "parts": [{"name": "p", "kind": "port"}], "links": [{"from": "card", "to": "p", "kind": "rope"}]}])", "one of PCIe, CXL");
        check_says(R"([{"name": "card", "parts": [{"name": "p", "kind": "port"}], "links": [{"from": "card", "to": "p", "kind": "HSL", "latency_ns": 5}]}])", "an object with \"value\" and \"grade\"");
    }
}
