// PCI as sysfs shows it. A function's real path names everything above it: devices/pci0000:00/<root port>/<upstream>/<downstream>/<card>.
// Root ports belong to the host bridge, a pair of upstream and downstream port is a switch. The link above a function is described by the
// function's own files, and its errors are counted at both ends: the other one is the port above.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "topology/providers.h"

namespace qiao::topology {
namespace {

const std::string kDevices = "bus/pci/devices/";
constexpr uint64_t kGiga = 1'000'000'000;

struct Generation {
    uint32_t number;
    uint64_t transfers_per_s; // and lane
    uint32_t payload, symbol; // of so many bits sent, so many are data
};
constexpr Generation kGenerations[] = {
    {1, 2'500'000'000, 8, 10},  {2, 5'000'000'000, 8, 10},   {3, 8 * kGiga, 128, 130}, {4, 16 * kGiga, 128, 130},
    {5, 32 * kGiga, 128, 130}, {6, 64 * kGiga, 242, 256}, {7, 128 * kGiga, 242, 256},
};

bool is_address(const std::string& text) {
    uint32_t domain, bus, device, function;
    int end = 0;
    return std::sscanf(text.c_str(), "%8x:%2x:%2x.%1x%n", &domain, &bus, &device, &function, &end) == 4 && static_cast<size_t>(end) == text.size();
}

// "16.0 GT/s PCIe" of a generation that there is; "Unknown" says nothing.
const Generation* generation_of(const Sysfs& sysfs, const std::string& path) {
    const std::optional<std::string> text = sysfs.text(path);
    if (!text || text->starts_with("Unknown")) return nullptr;
    char* end = nullptr;
    const double giga = std::strtod(text->c_str(), &end);
    for (const Generation& each : kGenerations) {
        if (end != text->c_str() && std::abs(giga * 1e9 - static_cast<double>(each.transfers_per_s)) < 1e6) return &each;
    }
    sysfs.note(path, in_quotes(*text) + " is no speed of PCI Express");
    return nullptr;
}

std::optional<uint64_t> lanes_of(const Sysfs& sysfs, const std::string& path) {
    const std::optional<int64_t> lanes = sysfs.number(path);
    if (!lanes || *lanes == 255) return std::nullopt; // the kernel's way to say that the link does not answer
    if (*lanes < 0 || *lanes > 32) {
        sysfs.note(path, std::to_string(*lanes) + " lanes: PCI Express has at most 32");
        return std::nullopt;
    }
    return static_cast<uint64_t>(*lanes);
}

template <class T>
std::optional<T> lesser(std::optional<T> a, std::optional<T> b) {
    return a && b ? std::min(*a, *b) : a ? a : b;
}

std::optional<uint64_t> count(const std::vector<std::pair<std::string, std::string>>& lines, const char* name) {
    for (const auto& [key, value] : lines) {
        if (key != name) continue;
        const std::optional<int64_t> parsed = parse_number(value);
        return parsed && *parsed >= 0 ? std::optional<uint64_t>(*parsed) : std::nullopt;
    }
    return std::nullopt;
}

std::optional<uint64_t> sum(std::optional<uint64_t> a, std::optional<uint64_t> b) {
    return a || b ? std::optional<uint64_t>(a.value_or(0) + b.value_or(0)) : std::nullopt;
}

std::optional<uint64_t> counter(const Sysfs& sysfs, const std::string& path) {
    const std::optional<int64_t> value = sysfs.number(path);
    return value && *value >= 0 ? std::optional<uint64_t>(*value) : std::nullopt;
}

void add_errors(const Sysfs& sysfs, const std::string& end, const std::string& partner, Claims& claims) {
    const auto correctable = sysfs.pairs(end + "/aer_dev_correctable");
    claims.add(QIAO_LINK_ATTRIBUTE_ERRORS_CORRECTABLE, count(correctable, "TOTAL_ERR_COR"))
        .add(QIAO_LINK_ATTRIBUTE_ERRORS_NONFATAL, count(sysfs.pairs(end + "/aer_dev_nonfatal"), "TOTAL_ERR_NONFATAL"))
        .add(QIAO_LINK_ATTRIBUTE_ERRORS_FATAL, count(sysfs.pairs(end + "/aer_dev_fatal"), "TOTAL_ERR_FATAL"))
        .add(QIAO_LINK_ATTRIBUTE_ERRORS_REPLAY, sum(count(correctable, "Rollover"), count(correctable, "Timeout")))
        .add(QIAO_LINK_ATTRIBUTE_ERRORS_CRC, sum(count(correctable, "BadTLP"), count(correctable, "BadDLLP")));
    if (partner.empty()) return;
    // A root port counts what it was told by all below it, which is this link; a switch's port only what it saw itself.
    const auto other = [&](const char* total, const char* file, const char* name) {
        const std::optional<uint64_t> all = counter(sysfs, partner + total);
        return all ? all : count(sysfs.pairs(partner + file), name);
    };
    claims.add(QIAO_LINK_ATTRIBUTE_PARTNER_ERRORS_CORRECTABLE, other("/aer_rootport_total_err_cor", "/aer_dev_correctable", "TOTAL_ERR_COR"))
        .add(QIAO_LINK_ATTRIBUTE_PARTNER_ERRORS_NONFATAL, other("/aer_rootport_total_err_nonfatal", "/aer_dev_nonfatal", "TOTAL_ERR_NONFATAL"))
        .add(QIAO_LINK_ATTRIBUTE_PARTNER_ERRORS_FATAL, other("/aer_rootport_total_err_fatal", "/aer_dev_fatal", "TOTAL_ERR_FATAL"));
}

// All that is known of the link above a function. `partner` is the port at its other end, "" on the root complex itself.
Claims link_claims(const Sysfs& sysfs, const std::string& end, const std::string& partner) {
    Claims claims(QIAO_TOPOLOGY_PROVIDER_PCI);
    const Generation* now = generation_of(sysfs, end + "/current_link_speed");
    const Generation* most = generation_of(sysfs, end + "/max_link_speed");
    const std::optional<uint64_t> lanes = lanes_of(sysfs, end + "/current_link_width");
    std::optional<uint64_t> most_lanes = lanes_of(sysfs, end + "/max_link_width");
    if (!partner.empty()) {
        const Generation* other = generation_of(sysfs, partner + "/max_link_speed");
        if (other != nullptr && (most == nullptr || other->number < most->number)) most = other;
        most_lanes = lesser(most_lanes, lanes_of(sysfs, partner + "/max_link_width"));
    }
    const bool is_down = lanes && *lanes == 0;
    if (now != nullptr) {
        claims.add(QIAO_LINK_ATTRIBUTE_GENERATION, now->number).add(QIAO_LINK_ATTRIBUTE_RATE, now->transfers_per_s);
        if (lanes && !is_down) claims.add(QIAO_LINK_ATTRIBUTE_BANDWIDTH, now->transfers_per_s / 8 * *lanes * now->payload / now->symbol);
    }
    if (most != nullptr) claims.add(QIAO_LINK_ATTRIBUTE_RATE_MAX, most->transfers_per_s);
    claims.add(QIAO_LINK_ATTRIBUTE_LANES, lanes).add(QIAO_LINK_ATTRIBUTE_LANES_MAX, most_lanes);
    if (lanes) {
        claims.add(QIAO_LINK_ATTRIBUTE_STATE, is_down                             ? QIAO_LINK_STATE_DOWN
                                              : most_lanes && *lanes < *most_lanes ? QIAO_LINK_STATE_DEGRADED
                                                                                   : QIAO_LINK_STATE_UP);
    }
    add_errors(sysfs, end, partner, claims);
    return claims;
}

// Near which NUMA node a function says it is: by its number, else by its CPUs where these are those of one node alone.
uint32_t node_of(const Sysfs& sysfs, const std::string& function, Graph& graph) {
    const std::optional<int64_t> node = sysfs.number(function + "/numa_node");
    if (node && *node >= 0) {
        const uint32_t vertex = graph.find(numa_id(static_cast<uint64_t>(*node)));
        if (vertex == kNone) sysfs.note(function + "/numa_node", "there is no NUMA node " + std::to_string(*node));
        return vertex;
    }
    const std::optional<std::string> local = sysfs.text(function + "/local_cpulist");
    if (!local || local->empty()) return kNone;
    uint32_t match = kNone;
    for (uint32_t vertex = 0; vertex < graph.vertices().size(); ++vertex) {
        const Vertex& each = graph.vertices()[vertex];
        if (each.kind != QIAO_VERTEX_KIND_NUMA_NODE || *local != graph.text(each.cpus)) continue;
        if (match != kNone) return kNone;
        match = vertex;
    }
    return match;
}

uint32_t pci_number(const Sysfs& sysfs, const std::string& path) {
    const std::optional<int64_t> number = sysfs.number(path);
    return number && *number > 0 && *number <= 0xffffff ? static_cast<uint32_t>(*number) : 0;
}

VertexFacts facts_of(const Sysfs& sysfs, const std::string& path, std::string_view id, qiao_vertex_kind kind) {
    VertexFacts facts{.id = id, .kind = kind, .provider = QIAO_TOPOLOGY_PROVIDER_PCI};
    facts.pci_vendor_id = pci_number(sysfs, path + "/vendor");
    facts.pci_device_id = pci_number(sysfs, path + "/device");
    return facts;
}

qiao_vertex_kind kind_of_class(uint32_t pci_class) {
    switch (pci_class >> 16) {
        case 0x03: // displays
        case 0x12: // processing accelerators
        case 0x0b: // co-processors
            return QIAO_VERTEX_KIND_CARD;
        case 0x02: // networks
            return QIAO_VERTEX_KIND_PORT;
        default:
            return (pci_class >> 8) == 0x0c06 ? QIAO_VERTEX_KIND_PORT : 0; // InfiniBand
    }
}

std::vector<std::string> split(const std::string& path) {
    std::vector<std::string> parts;
    size_t at = 0;
    while (at < path.size()) {
        const size_t end = std::min(path.find('/', at), path.size());
        if (end > at) parts.push_back(path.substr(at, end - at));
        at = end + 1;
    }
    return parts;
}

// The host bridge of a path, and the NUMA node that a function below it says it is near.
uint32_t place_bridge(const Sysfs& sysfs, const std::string& name, const std::string& function, Graph& graph) {
    const std::string id = "pci:" + name.substr(3); // of "pci0000:00"
    const uint32_t bridge = graph.add_vertex({.id = id, .kind = QIAO_VERTEX_KIND_BRIDGE, .provider = QIAO_TOPOLOGY_PROVIDER_PCI});
    const uint32_t node = node_of(sysfs, function, graph);
    if (bridge == kNone || node == kNone) return bridge;
    const uint32_t before = graph.vertices()[bridge].parent;
    if (before != kNone && before != node)
        graph.note(id + ": functions below it say that they are near " + graph.text(graph.vertices()[before].id) + " and near " + graph.text(graph.vertices()[node].id) + "; both are kept");
    graph.add_vertex({.id = id, .kind = QIAO_VERTEX_KIND_BRIDGE, .provider = QIAO_TOPOLOGY_PROVIDER_PCI, .parent = node});
    graph.claim(bridge, node, QIAO_LINK_KIND_INTERNAL, {});
    return bridge;
}

} // namespace

std::string pci_id(uint32_t domain, uint32_t bus, uint32_t device, uint32_t function) {
    char text[40];
    std::snprintf(text, sizeof text, "pci:%04x:%02x:%02x.%x", domain, bus, device, function);
    return text;
}

uint32_t place_pci_function(const Sysfs& sysfs, const std::string& address, qiao_vertex_kind kind, qiao_link_kind link, Graph& graph) {
    if (graph.report(QIAO_TOPOLOGY_PROVIDER_PCI).state != QIAO_PROVIDER_STATE_USED) return kNone; // it is not asked, or not there
    const std::string id = "pci:" + address;
    if (const uint32_t placed = graph.find(id); placed != kNone && graph.vertices()[placed].provider == QIAO_TOPOLOGY_PROVIDER_PCI) return placed;
    const std::string file = kDevices + address;
    const std::vector<std::string> parts = split(sysfs.resolve(file));
    const auto top = std::find_if(parts.begin(), parts.end(), [](const std::string& part) { return part.starts_with("pci") && part.find(':') != std::string::npos; });
    if (top == parts.end() || parts.back() != address) {
        if (!sysfs.has(file)) return kNone;
        sysfs.note(file, "does not lead to a function below a host bridge");
        return graph.add_vertex(facts_of(sysfs, file, id, kind));
    }
    const uint32_t bridge = place_bridge(sysfs, *top, file, graph);
    // Ports above the function, from the root port down.
    std::vector<std::string> ports;
    for (auto each = top + 1; each + 1 < parts.end(); ++each) {
        if (is_address(*each)) ports.push_back(*each);
    }
    uint32_t above = bridge;
    std::string partner = ports.empty() ? "" : kDevices + ports[0];
    for (size_t at = 1; at < ports.size(); at += 2) { // an upstream port, and the downstream one that the way goes on by
        const std::string upstream = kDevices + ports[at], switch_id = "pci:" + ports[at];
        const uint32_t vertex = graph.add_vertex(facts_of(sysfs, upstream, switch_id, QIAO_VERTEX_KIND_SWITCH));
        if (vertex == kNone) return kNone;
        graph.claim(vertex, above, QIAO_LINK_KIND_PCIE, link_claims(sysfs, upstream, partner));
        graph.set_above(vertex, above);
        above = vertex;
        partner = at + 1 < ports.size() ? kDevices + ports[at + 1] : "";
    }
    const uint32_t vertex = graph.add_vertex(facts_of(sysfs, file, id, kind));
    if (vertex == kNone) return kNone;
    graph.claim(vertex, above, link, link_claims(sysfs, file, partner));
    graph.set_above(vertex, above);
    return vertex;
}

void add_pci(const Sysfs& sysfs, const std::vector<std::string>& wanted, Graph& graph) {
    ProviderReport& report = graph.report(QIAO_TOPOLOGY_PROVIDER_PCI);
    if (!sysfs.has("bus/pci/devices")) return absent(report, "there is no bus/pci/devices below " + sysfs.root());
    report.state = QIAO_PROVIDER_STATE_USED;
    size_t functions = 0, placed = 0;
    for (const std::string& address : sysfs.list("bus/pci/devices")) {
        if (!is_address(address)) {
            sysfs.note(kDevices + in_quotes(address), "is no address of a PCI function");
            continue;
        }
        ++functions;
        const bool is_wanted = std::find(wanted.begin(), wanted.end(), address) != wanted.end();
        const qiao_vertex_kind kind = kind_of_class(pci_number(sysfs, kDevices + address + "/class"));
        // An integrated part of a bridge chip or a sound function of a card is not worth a vertex.
        if (kind == 0 && !is_wanted) continue;
        place_pci_function(sysfs, address, is_wanted ? QIAO_VERTEX_KIND_CARD : kind, QIAO_LINK_KIND_PCIE, graph);
        ++placed;
    }
    if (functions == 0) return absent(report, "bus/pci/devices has no functions");
    found(report, std::to_string(placed) + " of " + counted(functions, "PCI function") + " are cards or ports");
}

} // namespace qiao::topology
