// The topology of AMD's and Hygon's compute driver. Its CPU nodes are the NUMA nodes in their order; a card is named by its PCI address.
// Links of type 11 are xGMI, and on Hygon's cards HSL. Links of type 2 stand for the whole way over PCIe, which the PCI provider shows in
// its parts: what is said of one goes to the card's own link.
#include <algorithm>
#include <map>

#include "topology/providers.h"

namespace qiao::topology {
namespace {

const std::string kNodes = "class/kfd/kfd/topology/nodes/";
constexpr uint64_t kMega = 1'000'000;
constexpr uint64_t kTypePcie = 2, kTypeXgmi = 11;
constexpr uint64_t kEnabled = 1, kNonCoherent = 2, kNoAtomics32 = 4, kNoAtomics64 = 8, kNoPeers = 16;
constexpr uint32_t kVendorAmd = 0x1002, kVendorHygon = 0x1d94;

using Properties = std::map<std::string, uint64_t>;

struct Node {
    uint32_t vertex = kNone;
    bool is_card = false;
    uint32_t vendor = 0;
    uint64_t hive = 0;
};

Properties properties_of(const Sysfs& sysfs, const std::string& path) {
    Properties properties;
    for (const auto& [key, text] : sysfs.pairs(path)) {
        // Some are 64 bits wide and above what is signed.
        char* end = nullptr;
        const uint64_t value = std::strtoull(text.c_str(), &end, 10);
        if (text.empty() || text[0] < '0' || text[0] > '9' || *end != '\0') {
            sysfs.note(path, key + " is " + in_quotes(text) + ", no number");
            continue;
        }
        properties[key] = value;
    }
    return properties;
}

std::optional<uint64_t> get(const Properties& properties, const char* name) {
    const auto found = properties.find(name);
    return found == properties.end() ? std::nullopt : std::optional<uint64_t>(found->second);
}

// Zero means that the driver does not know.
std::optional<uint64_t> known(const Properties& properties, const char* name, uint64_t factor = 1) {
    const std::optional<uint64_t> value = get(properties, name);
    return value && *value != 0 && *value < UINT64_MAX / factor ? std::optional<uint64_t>(*value * factor) : std::nullopt;
}

uint32_t place_card(const Sysfs& sysfs, const Properties& properties, const std::string& name, Graph& graph) {
    const uint64_t location = get(properties, "location_id").value_or(0), domain = get(properties, "domain").value_or(0);
    const auto bus = static_cast<uint32_t>(location >> 8 & 0xff), device = static_cast<uint32_t>(location >> 3 & 0x1f), function = static_cast<uint32_t>(location & 7);
    const std::string id = location == 0 ? "kfd:" + name : pci_id(static_cast<uint32_t>(domain), bus, device, function);
    if (location != 0) place_pci_function(sysfs, id.substr(4), QIAO_VERTEX_KIND_CARD, QIAO_LINK_KIND_PCIE, graph);
    const std::string product = sysfs.text(kNodes + name + "/name").value_or("");
    uint64_t memory = 0;
    for (const std::string& bank : sysfs.list(kNodes + name + "/mem_banks"))
        memory += get(properties_of(sysfs, kNodes + name + "/mem_banks/" + bank + "/properties"), "size_in_bytes").value_or(0);
    return graph.add_vertex({.id = id,
                             .name = product,
                             .provider = QIAO_TOPOLOGY_PROVIDER_KFD,
                             .memory_bytes = memory != 0 ? memory : QIAO_UNKNOWN,
                             .pci_vendor_id = static_cast<uint32_t>(get(properties, "vendor_id").value_or(0)),
                             .pci_device_id = static_cast<uint32_t>(get(properties, "device_id").value_or(0))});
}

// The NUMA node that the PCI provider leads a card to.
uint32_t node_by_pci(uint32_t card, const Graph& graph) {
    const std::vector<Vertex>& vertices = graph.vertices();
    uint32_t at = card;
    while (at != kNone && vertices[at].kind != QIAO_VERTEX_KIND_BRIDGE) at = vertices[at].above;
    return at == kNone ? kNone : vertices[at].parent;
}

void add_link(const Sysfs& sysfs, const std::string& path, const std::map<uint64_t, Node>& nodes, Graph& graph) {
    const Properties properties = properties_of(sysfs, path + "/properties");
    const std::optional<uint64_t> from = get(properties, "node_from"), to = get(properties, "node_to"), type = get(properties, "type");
    if (!from || !to || !type) return sysfs.note(path, "says neither what it joins nor of what type it is: it is left out");
    const auto source = nodes.find(*from), target = nodes.find(*to);
    if (source == nodes.end() || target == nodes.end())
        return sysfs.note(path, "leads from node " + std::to_string(*from) + " to node " + std::to_string(*to) + ", and there is no such node: it is left out");
    const bool is_hygon = source->second.vendor == kVendorHygon || target->second.vendor == kVendorHygon;
    const qiao_link_kind kind = *type == kTypePcie ? QIAO_LINK_KIND_PCIE : *type != kTypeXgmi ? QIAO_LINK_KIND_UNKNOWN : is_hygon ? QIAO_LINK_KIND_HSL : QIAO_LINK_KIND_XGMI;
    Claims claims(QIAO_TOPOLOGY_PROVIDER_KFD);
    claims.add(QIAO_LINK_ATTRIBUTE_BANDWIDTH, known(properties, "max_bandwidth", kMega))
        .add(QIAO_LINK_ATTRIBUTE_BANDWIDTH_LEAST, known(properties, "min_bandwidth", kMega))
        .add(QIAO_LINK_ATTRIBUTE_LATENCY, known(properties, "min_latency"))
        .add(QIAO_LINK_ATTRIBUTE_LATENCY_MOST, known(properties, "max_latency"))
        .add(QIAO_LINK_ATTRIBUTE_WEIGHT, known(properties, "weight"))
        .add(QIAO_LINK_ATTRIBUTE_TRANSFER_BYTES, known(properties, "recommended_transfer_size"))
        .add(QIAO_LINK_ATTRIBUTE_SWITCH_STATE, get(properties, "switch_state"));
    const uint64_t flags = get(properties, "flags").value_or(0);
    if ((flags & kEnabled) != 0) {
        claims.add(QIAO_LINK_ATTRIBUTE_COHERENCE, (flags & kNonCoherent) != 0 ? QIAO_LINK_COHERENCE_NONE : QIAO_LINK_COHERENCE_IO)
            .add(QIAO_LINK_ATTRIBUTE_SEMANTICS, QIAO_LINK_SEMANTIC_DMA | ((flags & kNoAtomics32) == 0 ? QIAO_LINK_SEMANTIC_ATOMIC_32 : 0) |
                                                    ((flags & kNoAtomics64) == 0 ? QIAO_LINK_SEMANTIC_ATOMIC_64 : 0));
        if (source->second.is_card && target->second.is_card)
            claims.add(QIAO_LINK_ATTRIBUTE_PEER_ACCESS, (flags & kNoPeers) != 0 ? QIAO_LINK_PEER_NONE : QIAO_LINK_PEER_DIRECT);
    }
    if (kind == QIAO_LINK_KIND_HSL || kind == QIAO_LINK_KIND_XGMI) {
        const uint64_t hive = source->second.hive != 0 ? source->second.hive : target->second.hive;
        if (hive != 0) claims.add(QIAO_LINK_ATTRIBUTE_FABRIC, hive);
    }
    const bool is_summary = kind == QIAO_LINK_KIND_PCIE && source->second.is_card != target->second.is_card;
    if (!is_summary) return graph.claim(source->second.vertex, target->second.vertex, kind, claims, false);
    const Node &card = source->second.is_card ? source->second : target->second, &host = source->second.is_card ? target->second : source->second;
    if (card.vertex == kNone) return;
    const uint32_t above = graph.vertices()[card.vertex].above;
    if (above == kNone) return graph.claim(source->second.vertex, target->second.vertex, kind, claims, false);
    if (source->second.is_card) {
        const uint32_t told = node_by_pci(card.vertex, graph);
        if (told != kNone && told != host.vertex) {
            graph.note(std::string(graph.text(graph.vertices()[card.vertex].id)) + ": by PCI it is near " + graph.text(graph.vertices()[told].id) + ", by KFD near " +
                       graph.text(graph.vertices()[host.vertex].id) + "; both are kept");
            return graph.claim(source->second.vertex, target->second.vertex, kind, claims);
        }
        graph.claim(card.vertex, above, kind, claims, false);
    } else {
        graph.claim(above, card.vertex, kind, claims, false);
    }
}

} // namespace

void add_kfd(const Sysfs& sysfs, Graph& graph) {
    ProviderReport& report = graph.report(QIAO_TOPOLOGY_PROVIDER_KFD);
    if (!sysfs.has("class/kfd/kfd/topology/nodes")) return absent(report, "there is no class/kfd/kfd/topology below " + sysfs.root());
    std::map<uint64_t, Node> nodes;
    uint64_t hosts = 0, cards = 0;
    const std::vector<std::string> names = sysfs.list("class/kfd/kfd/topology/nodes");
    for (const std::string& name : names) {
        const std::optional<int64_t> index = parse_number(name);
        const Properties properties = properties_of(sysfs, kNodes + name + "/properties");
        if (!index || *index < 0 || properties.empty()) continue; // a node that this user may not see is empty
        Node node;
        node.is_card = get(properties, "simd_count").value_or(0) != 0;
        if (node.is_card) {
            node.vendor = static_cast<uint32_t>(get(properties, "vendor_id").value_or(0));
            node.hive = get(properties, "hive_id").value_or(0);
            node.vertex = place_card(sysfs, properties, name, graph);
            ++cards;
        } else {
            const std::string id = numa_id(hosts);
            node.vertex = graph.add_vertex({.id = id, .kind = QIAO_VERTEX_KIND_NUMA_NODE, .provider = QIAO_TOPOLOGY_PROVIDER_KFD, .os_index = static_cast<uint32_t>(hosts)});
            ++hosts;
        }
        nodes[static_cast<uint64_t>(*index)] = node;
    }
    for (const std::string& name : names) {
        for (const char* group : {"/io_links/", "/p2p_links/"}) {
            for (const std::string& link : sysfs.list(kNodes + name + group))
                add_link(sysfs, kNodes + name + group + link, nodes, graph);
        }
    }
    if (nodes.empty()) return failed(report, "none of the nodes below class/kfd/kfd/topology can be read");
    found(report, counted(cards, "card") + " and " + counted(hosts, "CPU node"));
}

} // namespace qiao::topology
