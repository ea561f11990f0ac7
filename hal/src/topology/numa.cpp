// NUMA nodes, the packages their CPUs are in, and what the firmware says of the ways between them: distances (SLIT) as weights, bandwidths
// and latencies (HMAT) where the kernel shows them.
#include <algorithm>
#include <map>

#include "topology/providers.h"

namespace qiao::topology {
namespace {

constexpr uint64_t kMega = 1'000'000;
const std::string kNodes = "devices/system/node/";

struct Node {
    uint32_t vertex = kNone;
    std::string path;
    int64_t index = 0;
    uint32_t package = kNone;
};

std::optional<int64_t> index_of(const std::string& name, const std::string& prefix) {
    return name.starts_with(prefix) ? parse_number(std::string_view(name).substr(prefix.size())) : std::nullopt;
}

uint64_t memory_of(const Sysfs& sysfs, const std::string& node) {
    const std::string text = sysfs.text(node + "/meminfo").value_or("");
    const size_t at = text.find("MemTotal:");
    if (at == std::string::npos) return QIAO_UNKNOWN;
    const size_t end = text.find(" kB", at);
    const std::optional<int64_t> kilobytes = end == std::string::npos ? std::nullopt : parse_number(std::string_view(text).substr(at + 9, end - at - 9));
    return kilobytes && *kilobytes >= 0 && *kilobytes < INT64_MAX / 1024 ? static_cast<uint64_t>(*kilobytes) * 1024 : QIAO_UNKNOWN;
}

// The package of the node's first CPU: a node lies in one.
uint32_t package_of(const Sysfs& sysfs, const std::vector<uint32_t>& cpus, Graph& graph) {
    if (cpus.empty()) return kNone;
    const std::string path = "devices/system/cpu/cpu" + std::to_string(cpus[0]) + "/topology/physical_package_id";
    const std::optional<int64_t> package = sysfs.number(path);
    if (!package || *package < 0) return kNone;
    const std::string id = "package:" + std::to_string(*package);
    return graph.add_vertex({.id = id, .kind = QIAO_VERTEX_KIND_PACKAGE, .provider = QIAO_TOPOLOGY_PROVIDER_NUMA, .os_index = static_cast<uint32_t>(*package)});
}

Node add_node(const Sysfs& sysfs, const std::string& name, int64_t index, Graph& graph) {
    Node node{.path = kNodes + name, .index = index};
    const std::string cpus = sysfs.text(node.path + "/cpulist").value_or("");
    const std::optional<std::vector<uint32_t>> numbers = parse_list(cpus);
    if (!numbers) sysfs.note(node.path + "/cpulist", in_quotes(cpus) + " is no list of CPUs");
    node.package = package_of(sysfs, numbers.value_or(std::vector<uint32_t>()), graph);
    const std::string id = numa_id(static_cast<uint64_t>(index));
    node.vertex = graph.add_vertex({.id = id,
                                    .cpus = numbers ? cpus : std::string_view(),
                                    .kind = QIAO_VERTEX_KIND_NUMA_NODE,
                                    .provider = QIAO_TOPOLOGY_PROVIDER_NUMA,
                                    .parent = node.package,
                                    .os_index = static_cast<uint32_t>(index),
                                    .memory_bytes = memory_of(sysfs, node.path)});
    if (node.package != kNone) graph.claim(node.package, node.vertex, QIAO_LINK_KIND_MEMORY, {});
    return node;
}

qiao_link_kind kind_between(const Node& a, const Node& b) {
    if (a.package == kNone || b.package == kNone) return QIAO_LINK_KIND_UNKNOWN; // memory without CPUs may lie anywhere
    return a.package == b.package ? QIAO_LINK_KIND_INTERNAL : QIAO_LINK_KIND_SOCKET;
}

// The kernel writes one number for each node, in order; 10 is the node itself.
void add_distances(const Sysfs& sysfs, const std::vector<Node>& nodes, Graph& graph) {
    for (const Node& from : nodes) {
        const std::optional<std::string> text = sysfs.text(from.path + "/distance");
        if (!text) continue;
        std::vector<int64_t> distances;
        for (size_t at = 0; at < text->size();) {
            const size_t end = std::min(text->find(' ', at), text->size());
            if (end > at) distances.push_back(parse_number(std::string_view(*text).substr(at, end - at)).value_or(-1));
            at = end + 1;
        }
        if (distances.size() != nodes.size() || std::any_of(distances.begin(), distances.end(), [](int64_t each) { return each < 0 || each > 255; })) {
            sysfs.note(from.path + "/distance", in_quotes(*text) + " is not a distance from 0 to 255 for each of " + counted(nodes.size(), "node"));
            continue;
        }
        for (size_t to = 0; to < nodes.size(); ++to) {
            if (nodes[to].vertex == from.vertex || distances[to] == 255) continue; // 255: no way
            Claims claims(QIAO_TOPOLOGY_PROVIDER_NUMA);
            claims.add(QIAO_LINK_ATTRIBUTE_WEIGHT, static_cast<uint64_t>(distances[to]));
            graph.claim(from.vertex, nodes[to].vertex, kind_between(from, nodes[to]), claims, false);
        }
    }
}

std::optional<uint64_t> positive(const Sysfs& sysfs, const std::string& path, uint64_t factor, int64_t most) {
    const std::optional<int64_t> value = sysfs.number(path);
    if (!value || *value == 0) return std::nullopt;
    if (*value < 0 || *value > most) {
        sysfs.note(path, std::to_string(*value) + " is not a number from 1 to " + std::to_string(most));
        return std::nullopt;
    }
    return static_cast<uint64_t>(*value) * factor;
}

// What the nearest initiators see of a target's memory; access1 is that of CPUs alone. False if the kernel shows none of it.
bool add_hmat(const Sysfs& sysfs, const std::vector<Node>& nodes, Graph& graph) {
    constexpr int64_t kMostMegabytes = 100'000'000, kMostNs = 1'000'000'000;
    bool is_any = false;
    for (const Node& target : nodes) {
        std::string folder = target.path + "/access1/initiators";
        if (!sysfs.has(folder)) folder = target.path + "/access0/initiators";
        if (!sysfs.has(folder)) continue;
        is_any = true;
        Claims read(QIAO_TOPOLOGY_PROVIDER_NUMA), write(QIAO_TOPOLOGY_PROVIDER_NUMA);
        read.add(QIAO_LINK_ATTRIBUTE_BANDWIDTH, positive(sysfs, folder + "/read_bandwidth", kMega, kMostMegabytes))
            .add(QIAO_LINK_ATTRIBUTE_LATENCY, positive(sysfs, folder + "/read_latency", 1, kMostNs));
        write.add(QIAO_LINK_ATTRIBUTE_BANDWIDTH, positive(sysfs, folder + "/write_bandwidth", kMega, kMostMegabytes))
            .add(QIAO_LINK_ATTRIBUTE_LATENCY, positive(sysfs, folder + "/write_latency", 1, kMostNs));
        for (const Node& initiator : nodes) {
            if (!sysfs.has(folder + "/node" + std::to_string(initiator.index))) continue;
            const bool is_local = initiator.vertex == target.vertex;
            const uint32_t from = is_local ? target.package : initiator.vertex;
            const qiao_link_kind kind = is_local ? QIAO_LINK_KIND_MEMORY : kind_between(initiator, target);
            graph.claim(from, target.vertex, kind, write, false);
            graph.claim(target.vertex, from, kind, read, false);
        }
    }
    return is_any;
}

} // namespace

std::string numa_id(uint64_t index) {
    return "numa:" + std::to_string(index);
}

void add_numa(const Sysfs& sysfs, Graph& graph) {
    ProviderReport& report = graph.report(QIAO_TOPOLOGY_PROVIDER_NUMA);
    std::vector<Node> nodes;
    for (const std::string& name : sysfs.list("devices/system/node")) {
        const std::optional<int64_t> index = index_of(name, "node");
        if (index && *index >= 0 && *index < 65536) nodes.push_back(add_node(sysfs, name, *index, graph));
    }
    if (nodes.empty()) return absent(report, "there is no devices/system/node/node0 below " + sysfs.root());
    std::erase_if(nodes, [](const Node& node) { return node.vertex == kNone; });
    add_distances(sysfs, nodes, graph);
    const bool has_hmat = add_hmat(sysfs, nodes, graph);
    found(report, counted(nodes.size(), "NUMA node") + (has_hmat ? ", with the firmware's bandwidths and latencies (HMAT)" : "; the firmware says no bandwidths or latencies (HMAT)"));
}

} // namespace qiao::topology
