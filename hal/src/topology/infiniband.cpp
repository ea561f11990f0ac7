// Ports of InfiniBand's class in sysfs, which other verbs devices have too. A device with one port is the port; one with several has a
// vertex for each. Ports of one subnet lead into one network, of which nothing more is known.
#include <algorithm>

#include "topology/providers.h"

namespace qiao::topology {
namespace {

const std::string kClass = "class/infiniband/";

// "400 Gb/sec (4X NDR)" in bytes per second.
std::optional<uint64_t> rate_of(const Sysfs& sysfs, const std::string& path) {
    const std::optional<std::string> text = sysfs.text(path);
    if (!text) return std::nullopt;
    char* end = nullptr;
    const double giga = std::strtod(text->c_str(), &end);
    if (end == text->c_str() || !(giga > 0 && giga < 1e6)) {
        sysfs.note(path, in_quotes(*text) + " is no rate");
        return std::nullopt;
    }
    return static_cast<uint64_t>(giga * 1e9 / 8);
}

// "(4X NDR)"
std::optional<uint64_t> lanes_of(const Sysfs& sysfs, const std::string& path) {
    const std::string text = sysfs.text(path).value_or("");
    const size_t open = text.find('('), times = text.find('X', open == std::string::npos ? 0 : open);
    if (open == std::string::npos || times == std::string::npos) return std::nullopt;
    const std::optional<int64_t> lanes = parse_number(std::string_view(text).substr(open + 1, times - open - 1));
    return lanes && *lanes > 0 && *lanes <= 16 ? std::optional<uint64_t>(*lanes) : std::nullopt;
}

// "4: ACTIVE"
std::optional<uint64_t> state_of(const Sysfs& sysfs, const std::string& path) {
    const std::string text = sysfs.text(path).value_or("");
    if (text.starts_with("4")) return QIAO_LINK_STATE_UP;
    if (text.starts_with("1")) return QIAO_LINK_STATE_DOWN;
    if (text.starts_with("2") || text.starts_with("3") || text.starts_with("5")) return QIAO_LINK_STATE_TRAINING;
    if (!text.empty()) sysfs.note(path, in_quotes(text) + " is no state of a port");
    return std::nullopt;
}

std::optional<uint64_t> counter(const Sysfs& sysfs, const std::string& path) {
    const std::optional<int64_t> value = sysfs.number(path);
    return value && *value >= 0 ? std::optional<uint64_t>(*value) : std::nullopt;
}

// By the prefix of the port's first GID, which all ports of a subnet share.
uint32_t network_of(const Sysfs& sysfs, const std::string& port, Graph& graph) {
    const std::string gid = sysfs.text(port + "/gids/0").value_or(""), layer = sysfs.text(port + "/link_layer").value_or("");
    const std::string prefix = gid.size() == 39 ? gid.substr(0, 19) : "unknown";
    const std::string id = "network:" + prefix, name = layer.empty() ? "network" : layer + " network";
    return graph.add_vertex({.id = id, .name = name, .kind = QIAO_VERTEX_KIND_SWITCH, .provider = QIAO_TOPOLOGY_PROVIDER_INFINIBAND});
}

void add_port(const Sysfs& sysfs, const std::string& device, const std::string& name, uint32_t vertex, Graph& graph) {
    const std::string port = kClass + device + "/ports/" + name;
    Claims claims(QIAO_TOPOLOGY_PROVIDER_INFINIBAND);
    claims.add(QIAO_LINK_ATTRIBUTE_BANDWIDTH, rate_of(sysfs, port + "/rate"))
        .add(QIAO_LINK_ATTRIBUTE_LANES, lanes_of(sysfs, port + "/rate"))
        .add(QIAO_LINK_ATTRIBUTE_STATE, state_of(sysfs, port + "/state"))
        .add(QIAO_LINK_ATTRIBUTE_ERRORS_CRC, counter(sysfs, port + "/counters/symbol_error"))
        .add(QIAO_LINK_ATTRIBUTE_ERRORS_RECOVERY, counter(sysfs, port + "/counters/link_error_recovery"))
        .add(QIAO_LINK_ATTRIBUTE_ERRORS_DOWN, counter(sysfs, port + "/counters/link_downed"));
    graph.claim(vertex, network_of(sysfs, port, graph), QIAO_LINK_KIND_NETWORK, claims);
}

} // namespace

void add_infiniband(const Sysfs& sysfs, Graph& graph) {
    ProviderReport& report = graph.report(QIAO_TOPOLOGY_PROVIDER_INFINIBAND);
    size_t ports = 0;
    for (const std::string& device : sysfs.list("class/infiniband")) {
        const std::string real = sysfs.resolve(kClass + device + "/device");
        const std::string address = real.substr(real.rfind('/') + 1);
        const uint32_t function = real.empty() ? kNone : place_pci_function(sysfs, address, QIAO_VERTEX_KIND_PORT, QIAO_LINK_KIND_PCIE, graph);
        const std::vector<std::string> names = sysfs.list(kClass + device + "/ports");
        for (const std::string& name : names) {
            const bool is_function = function != kNone && names.size() == 1;
            const std::string title = device + "/" + name, id = is_function ? "pci:" + address : "port:" + title;
            const uint32_t vertex =
                graph.add_vertex({.id = id, .name = title, .kind = QIAO_VERTEX_KIND_PORT, .provider = QIAO_TOPOLOGY_PROVIDER_INFINIBAND, .parent = is_function ? kNone : function});
            if (vertex == kNone) break;
            if (is_function) graph.add_alias("port:" + title, vertex);
            if (!is_function) graph.claim(vertex, function, QIAO_LINK_KIND_INTERNAL, {});
            add_port(sysfs, device, name, vertex, graph);
            ++ports;
        }
    }
    if (ports == 0) return absent(report, "there is no port in class/infiniband below " + sysfs.root());
    found(report, counted(ports, "port"));
}

} // namespace qiao::topology
