// Fewest links, then the widest; links that are down and cards are not passed. Compared with all ways on random small graphs.
#include <doctest/doctest.h>

#include <functional>
#include <random>
#include <string>

#include "topology/search.h"

using namespace qiao::topology;

namespace {

uint32_t add(Graph& graph, const std::string& id, qiao_vertex_kind kind) {
    return graph.add_vertex({.id = id, .kind = kind, .provider = QIAO_TOPOLOGY_PROVIDER_PLUGIN});
}

void join(Graph& graph, uint32_t a, uint32_t b, uint64_t bandwidth, uint64_t state = QIAO_LINK_STATE_UP, qiao_link_kind kind = QIAO_LINK_KIND_HSL) {
    std::vector<Claim> claims = {{QIAO_LINK_ATTRIBUTE_STATE, QIAO_TOPOLOGY_PROVIDER_PLUGIN, state, 0, 0}};
    if (bandwidth != QIAO_UNKNOWN) claims.push_back({QIAO_LINK_ATTRIBUTE_BANDWIDTH, QIAO_TOPOLOGY_PROVIDER_PLUGIN, bandwidth, 0, 0});
    graph.claim(a, b, kind, claims);
}

Path way(const Graph& graph, uint32_t source, uint32_t target) {
    Path path;
    Search(graph, source).path_to(target, path);
    return path;
}

} // namespace

TEST_SUITE("topology.search") {
    TEST_CASE("of equally short ways the widest, and a known width before an unknown one") {
        Graph graph;
        const uint32_t a = add(graph, "a", QIAO_VERTEX_KIND_CARD), b = add(graph, "b", QIAO_VERTEX_KIND_CARD);
        for (const auto& [name, width] : {std::pair("s1", uint64_t{10}), {"s2", 30}, {"s3", QIAO_UNKNOWN}}) {
            const uint32_t middle = add(graph, name, QIAO_VERTEX_KIND_SWITCH);
            join(graph, a, middle, width);
            join(graph, middle, b, 100);
        }
        graph.finish();
        const Path found = way(graph, a, b);
        CHECK(found.bandwidth == 30);
        CHECK(found.alternatives == 1);
        CHECK(found.unknown_bandwidths == 0);
        CHECK(found.distance == QIAO_DISTANCE_FABRIC);
        CHECK(graph.links()[found.bottleneck].source == a);
    }

    TEST_CASE("links that are down and cards are no way through") {
        Graph graph;
        const uint32_t a = add(graph, "a", QIAO_VERTEX_KIND_CARD), b = add(graph, "b", QIAO_VERTEX_KIND_CARD), c = add(graph, "c", QIAO_VERTEX_KIND_CARD);
        join(graph, a, b, 10, QIAO_LINK_STATE_DOWN);
        join(graph, a, c, 10);
        join(graph, c, b, 10);
        graph.finish();
        CHECK(way(graph, a, b).distance == QIAO_DISTANCE_NONE);
        CHECK(way(graph, a, c).distance == QIAO_DISTANCE_DIRECT);
        CHECK(Search(graph, a).nearest(QIAO_VERTEX_KIND_CARD) == std::vector<uint32_t>{c});
    }

    TEST_CASE("circles end, and what nothing leads to is not reached") {
        Graph graph;
        std::vector<uint32_t> ring;
        for (int index = 0; index < 5; ++index)
            ring.push_back(add(graph, "s" + std::to_string(index), QIAO_VERTEX_KIND_SWITCH));
        for (size_t index = 0; index < ring.size(); ++index)
            join(graph, ring[index], ring[(index + 1) % ring.size()], 1);
        const uint32_t island = add(graph, "island", QIAO_VERTEX_KIND_SWITCH);
        graph.finish();
        CHECK(way(graph, ring[0], ring[2]).links.size() == 2);
        CHECK(way(graph, ring[0], island).distance == QIAO_DISTANCE_NONE);
    }

    TEST_CASE("the ladder of distances") {
        Graph graph;
        const uint32_t nodes[] = {add(graph, "numa:0", QIAO_VERTEX_KIND_NUMA_NODE), add(graph, "numa:1", QIAO_VERTEX_KIND_NUMA_NODE)};
        join(graph, nodes[0], nodes[1], 1, QIAO_LINK_STATE_UP, QIAO_LINK_KIND_SOCKET);
        std::vector<uint32_t> bridges, cards;
        for (int index = 0; index < 3; ++index) { // two at node 0, one at node 1
            bridges.push_back(add(graph, "bridge" + std::to_string(index), QIAO_VERTEX_KIND_BRIDGE));
            join(graph, bridges.back(), nodes[index / 2], QIAO_UNKNOWN, QIAO_LINK_STATE_UP, QIAO_LINK_KIND_INTERNAL);
        }
        const auto pcie = [&](uint32_t a, uint32_t b) { join(graph, a, b, 32, QIAO_LINK_STATE_UP, QIAO_LINK_KIND_PCIE); };
        const uint32_t outer = add(graph, "outer", QIAO_VERTEX_KIND_SWITCH), inner = add(graph, "inner", QIAO_VERTEX_KIND_SWITCH);
        pcie(outer, bridges[0]);
        pcie(inner, outer);
        for (const uint32_t above : {inner, inner, outer, bridges[0], bridges[1], bridges[2]}) {
            cards.push_back(add(graph, "card" + std::to_string(cards.size()), QIAO_VERTEX_KIND_CARD));
            pcie(cards.back(), above);
        }
        graph.finish();
        const qiao_distance expected[] = {QIAO_DISTANCE_SAME,        QIAO_DISTANCE_PCIE_SWITCH, QIAO_DISTANCE_PCIE_SWITCHES,
                                          QIAO_DISTANCE_HOST_BRIDGE, QIAO_DISTANCE_NUMA_NODE,   QIAO_DISTANCE_SYSTEM};
        for (size_t index = 0; index < cards.size(); ++index)
            CHECK(way(graph, cards[0], cards[index]).distance == expected[index]);
        CHECK(way(graph, cards[0], nodes[0]).distance == QIAO_DISTANCE_NUMA_NODE);
        CHECK(way(graph, cards[0], nodes[1]).distance == QIAO_DISTANCE_SYSTEM);
    }

    TEST_CASE("the same as trying all ways, on random graphs") {
        constexpr uint32_t kSeed = 20261126;
        INFO("seed ", kSeed);
        std::mt19937 random(kSeed);
        for (int round = 0; round < 200; ++round) {
            Graph graph;
            const uint32_t count = 3 + random() % 6;
            for (uint32_t index = 0; index < count; ++index)
                add(graph, "v" + std::to_string(index), random() % 4 == 0 ? QIAO_VERTEX_KIND_CARD : QIAO_VERTEX_KIND_SWITCH);
            for (uint32_t link = 0; link < count * 2; ++link)
                join(graph, random() % count, random() % count, 1 + random() % 5, random() % 6 == 0 ? QIAO_LINK_STATE_DOWN : QIAO_LINK_STATE_UP);
            graph.finish();
            for (uint32_t source = 0; source < count; ++source) {
                std::vector<size_t> best_length(count, SIZE_MAX);
                std::vector<uint64_t> best_width(count, 0);
                std::vector<uint32_t> ways(count, 0);
                std::vector<bool> visited(count);
                const std::function<void(uint32_t, size_t, uint64_t)> visit = [&](uint32_t at, size_t length, uint64_t width) {
                    if (length < best_length[at] || (length == best_length[at] && width > best_width[at])) {
                        best_length[at] = length;
                        best_width[at] = width;
                        ways[at] = 0;
                    }
                    ways[at] += length == best_length[at] && width == best_width[at];
                    if (at != source && !passes_on(graph.vertices()[at].kind)) return;
                    visited[at] = true;
                    const auto [first, last] = graph.links_of(at);
                    for (uint32_t link = first; link < last; ++link) {
                        const uint32_t target = graph.links()[link].target;
                        if (!visited[target] && !graph.class_of(link).is_down) visit(target, length + 1, std::min(width, graph.class_of(link).bandwidth));
                    }
                    visited[at] = false;
                };
                visit(source, 0, UINT64_MAX);
                for (uint32_t target = 0; target < count; ++target) {
                    const Path found = way(graph, source, target);
                    if (best_length[target] == SIZE_MAX) {
                        CHECK(found.distance == QIAO_DISTANCE_NONE);
                        continue;
                    }
                    CHECK(found.links.size() == best_length[target]);
                    if (target != source) CHECK(found.bandwidth == best_width[target]);
                }
            }
        }
    }
}
