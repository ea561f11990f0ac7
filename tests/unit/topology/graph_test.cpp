// Vertices are merged by their ids, claims of several providers are kept beside each other, and equal links share a class.
#include <doctest/doctest.h>

#include <string>

#include "topology/graph.h"

using namespace qiao::topology;

namespace {

Claim claim(qiao_link_attribute attribute, uint64_t value, qiao_topology_provider_id provider) {
    return {attribute, provider, value, 0, 0};
}

uint32_t card(Graph& graph, const std::string& id) {
    return graph.add_vertex({.id = id, .provider = QIAO_TOPOLOGY_PROVIDER_PCI});
}

} // namespace

TEST_SUITE("topology.graph") {
    TEST_CASE("what was unknown of a vertex is filled in, what was known stays") {
        Graph graph;
        const uint32_t vertex = card(graph, "a");
        CHECK(graph.add_vertex({.id = "a", .name = "first", .kind = QIAO_VERTEX_KIND_PORT, .provider = QIAO_TOPOLOGY_PROVIDER_KFD, .memory_bytes = 5}) == vertex);
        graph.add_vertex({.id = "a", .name = "second", .provider = QIAO_TOPOLOGY_PROVIDER_HWLOC, .memory_bytes = 6});
        graph.finish();
        const Vertex& found = graph.vertices()[vertex];
        CHECK(std::string(graph.text(found.name)) == "first");
        CHECK(found.kind == QIAO_VERTEX_KIND_CARD);
        CHECK(found.provider == QIAO_TOPOLOGY_PROVIDER_PCI);
        CHECK(found.memory_bytes == 5);
    }

    TEST_CASE("claims that differ by more than rounding conflict, and the most trusted comes first") {
        Graph graph;
        const uint32_t a = card(graph, "a"), b = card(graph, "b");
        const auto say = [&](qiao_link_attribute attribute, uint64_t value, qiao_topology_provider_id provider) {
            const Claim one = claim(attribute, value, provider);
            graph.claim(a, b, QIAO_LINK_KIND_PCIE, {&one, 1}, false);
        };
        say(QIAO_LINK_ATTRIBUTE_BANDWIDTH, 31'000, QIAO_TOPOLOGY_PROVIDER_HWLOC);
        say(QIAO_LINK_ATTRIBUTE_BANDWIDTH, 31'500, QIAO_TOPOLOGY_PROVIDER_PCI);
        say(QIAO_LINK_ATTRIBUTE_LANES, 16, QIAO_TOPOLOGY_PROVIDER_PCI);
        graph.finish();
        CHECK(graph.links().size() == 1);
        CHECK(graph.class_of(0).conflicts == 0);
        CHECK(graph.class_of(0).bandwidth == 31'500);
        Graph again;
        const uint32_t c = card(again, "c"), d = card(again, "d");
        const Claim one = claim(QIAO_LINK_ATTRIBUTE_LANES, 16, QIAO_TOPOLOGY_PROVIDER_PCI), other = claim(QIAO_LINK_ATTRIBUTE_LANES, 8, QIAO_TOPOLOGY_PROVIDER_KFD);
        again.claim(c, d, QIAO_LINK_KIND_PCIE, {&other, 1});
        again.claim(c, d, QIAO_LINK_KIND_PCIE, {&one, 1});
        again.claim(c, d, QIAO_LINK_KIND_PCIE, {&one, 1}); // once is enough
        again.finish();
        CHECK(again.links().size() == 2);
        CHECK(again.classes().size() == 1);
        CHECK(again.class_of(0).claims.size() == 2);
        CHECK(again.class_of(0).find(QIAO_LINK_ATTRIBUTE_LANES)->value == 16);
        CHECK(again.class_of(0).conflicts == UINT64_C(1) << QIAO_LINK_ATTRIBUTE_LANES);
    }

    TEST_CASE("a link to itself, and one from nowhere, are none") {
        Graph graph;
        const uint32_t a = card(graph, "a");
        graph.claim(a, a, QIAO_LINK_KIND_PCIE, {});
        graph.claim(kNone, a, QIAO_LINK_KIND_PCIE, {});
        graph.finish();
        CHECK(graph.links().empty());
    }

    TEST_CASE("a hundred thousand links of a few kinds take little memory") {
        Graph graph;
        constexpr uint32_t kCards = 320;
        for (uint32_t index = 0; index < kCards; ++index)
            card(graph, "card" + std::to_string(index));
        for (uint32_t from = 0; from < kCards; ++from) {
            for (uint32_t to = 0; to < kCards; ++to) {
                const Claim one = claim(QIAO_LINK_ATTRIBUTE_BANDWIDTH, from / 80 == to / 80 ? 64 : 32, QIAO_TOPOLOGY_PROVIDER_KFD);
                graph.claim(from, to, QIAO_LINK_KIND_HSL, {&one, 1}, false);
            }
        }
        graph.finish();
        CHECK(graph.links().size() == kCards * (kCards - 1));
        CHECK(graph.classes().size() == 2);
        CHECK(graph.host_bytes() < 4 << 20);
    }

    TEST_CASE("notes are cut before they fill the memory") {
        Graph graph;
        for (int index = 0; index < 10'000; ++index)
            graph.note("something is strange: " + std::to_string(index));
        CHECK(graph.notes().size() == Graph::kMostNotes + 1);
        CHECK(graph.notes().back() == "there is more to note: it is left out");
    }
}
