// Vertices of one layer are entered in the order they were found, so results do not depend on anything but the graph.
#include "topology/search.h"

#include <algorithm>

namespace qiao::topology {
namespace {

constexpr uint32_t kMostWays = 1u << 30;

bool is_fabric(qiao_link_kind kind) {
    switch (kind) {
        case QIAO_LINK_KIND_CXL:
        case QIAO_LINK_KIND_XGMI:
        case QIAO_LINK_KIND_HSL:
        case QIAO_LINK_KIND_UB:
        case QIAO_LINK_KIND_NVLINK:
        case QIAO_LINK_KIND_UALINK:
        case QIAO_LINK_KIND_MEMORY:
            return true;
        default:
            return false;
    }
}

} // namespace

bool passes_on(qiao_vertex_kind kind) {
    return kind != QIAO_VERTEX_KIND_CARD && kind != QIAO_VERTEX_KIND_PARTITION && kind != QIAO_VERTEX_KIND_MEMORY && kind != QIAO_VERTEX_KIND_GROUP;
}

// An unknown bandwidth is below every known one: a way that somebody vouches for is preferred.
Search::Search(const Graph& graph, uint32_t source) : graph_(graph), source_(source), reached_(graph.vertices().size()) {
    const std::vector<Vertex>& vertices = graph.vertices();
    const std::vector<Link>& links = graph.links();
    const std::vector<LinkClass>& classes = graph.classes();
    std::vector<uint32_t> layer = {source}, next;
    reached_[source] = {kNone, 0, UINT64_MAX, 1};
    for (uint32_t depth = 1; !layer.empty(); ++depth) {
        next.clear();
        for (const uint32_t vertex : layer) {
            if (vertex != source && !passes_on(vertices[vertex].kind)) continue;
            const Reached from = reached_[vertex];
            const auto [first, last] = graph.links_of(vertex);
            for (uint32_t link = first; link < last; ++link) {
                Reached& to = reached_[links[link].target];
                if (to.layer < depth) continue;
                const LinkClass& link_class = classes[links[link].link_class];
                if (link_class.is_down) continue;
                const uint64_t width = link_class.bandwidth == QIAO_UNKNOWN ? 0 : std::min(from.width, link_class.bandwidth);
                if (to.layer == kNone) {
                    next.push_back(links[link].target);
                    to = {link, depth, width, from.ways};
                } else if (width > to.width) {
                    to = {link, depth, width, from.ways};
                } else if (width == to.width) {
                    to.ways = std::min(kMostWays, to.ways + from.ways);
                }
            }
        }
        layer.swap(next);
    }
}

bool Search::path_to(uint32_t target, Path& out_path) const {
    out_path.links.clear();
    out_path.bottleneck = kNone;
    out_path.bandwidth = out_path.latency_ns = QIAO_UNKNOWN;
    out_path.unknown_bandwidths = out_path.alternatives = 0;
    out_path.distance = QIAO_DISTANCE_NONE;
    const Reached& end = reached_[target];
    if (end.layer == kNone) return false;
    out_path.links.resize(end.layer);
    uint64_t latency = 0;
    bool is_latency_known = end.layer != 0;
    uint32_t vertex = target;
    for (uint32_t at = end.layer; at-- > 0;) {
        const uint32_t link = reached_[vertex].link;
        out_path.links[at] = link;
        const LinkClass& link_class = graph_.class_of(link);
        if (link_class.bandwidth == QIAO_UNKNOWN) {
            ++out_path.unknown_bandwidths;
        } else if (link_class.bandwidth <= out_path.bandwidth) { // of equals the first on the way
            out_path.bandwidth = link_class.bandwidth;
            out_path.bottleneck = link;
        }
        is_latency_known = is_latency_known && link_class.latency_ns != QIAO_UNKNOWN;
        if (is_latency_known) latency += link_class.latency_ns;
        vertex = graph_.links()[link].source;
    }
    if (is_latency_known) out_path.latency_ns = latency;
    out_path.alternatives = end.ways;
    out_path.distance = distance_of(out_path.links, source_, target);
    return true;
}

qiao_distance Search::distance_of(const std::vector<uint32_t>& links, uint32_t source, uint32_t target) const {
    if (source == target) return QIAO_DISTANCE_SAME;
    uint32_t bridges = 0, nodes = 0, pcie_switches = 0;
    bool all_fabric = true, any_network = false;
    for (const uint32_t link : links) {
        const qiao_link_kind kind = graph_.class_of(link).kind;
        all_fabric = all_fabric && is_fabric(kind);
        any_network = any_network || kind == QIAO_LINK_KIND_NETWORK;
        const uint32_t vertex = graph_.links()[link].target;
        if (vertex == target) continue;
        const qiao_vertex_kind passed = graph_.vertices()[vertex].kind;
        bridges += passed == QIAO_VERTEX_KIND_BRIDGE;
        nodes += passed == QIAO_VERTEX_KIND_NUMA_NODE;
        pcie_switches += passed == QIAO_VERTEX_KIND_SWITCH && kind == QIAO_LINK_KIND_PCIE;
    }
    if (any_network) return QIAO_DISTANCE_NETWORK;
    // From or to a NUMA node the node itself is on the way.
    const auto is_node = [&](uint32_t vertex) { return graph_.vertices()[vertex].kind == QIAO_VERTEX_KIND_NUMA_NODE; };
    const uint32_t all_nodes = nodes + is_node(source) + is_node(target);
    if (all_fabric && links.size() == 1) return QIAO_DISTANCE_DIRECT;
    if (all_nodes > 1) return QIAO_DISTANCE_SYSTEM;
    if (all_nodes == 1) return QIAO_DISTANCE_NUMA_NODE;
    if (all_fabric) return QIAO_DISTANCE_FABRIC;
    if (bridges > 0) return QIAO_DISTANCE_HOST_BRIDGE;
    return pcie_switches > 1 ? QIAO_DISTANCE_PCIE_SWITCHES : QIAO_DISTANCE_PCIE_SWITCH;
}

std::vector<uint32_t> Search::nearest(qiao_vertex_kind kind) const {
    std::vector<uint32_t> found;
    for (uint32_t vertex = 0; vertex < reached_.size(); ++vertex) {
        if (vertex != source_ && reached_[vertex].layer != kNone && graph_.vertices()[vertex].kind == kind) found.push_back(vertex);
    }
    std::stable_sort(found.begin(), found.end(), [this](uint32_t a, uint32_t b) {
        const Reached &x = reached_[a], &y = reached_[b];
        return x.layer != y.layer ? x.layer < y.layer : x.width > y.width;
    });
    return found;
}

} // namespace qiao::topology
