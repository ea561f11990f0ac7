// Memory devices on CXL: what bus/cxl says of their size and node, and where their PCI function lies.
#include <algorithm>

#include "topology/providers.h"

namespace qiao::topology {
namespace {

std::optional<uint64_t> bytes_of(const Sysfs& sysfs, const std::string& path) {
    const std::optional<int64_t> bytes = sysfs.number(path);
    return bytes && *bytes > 0 ? std::optional<uint64_t>(*bytes) : std::nullopt;
}

// The PCI function that a path below devices/ goes through last; "" = none.
std::string function_on(const std::string& path) {
    const size_t end = path.rfind('/');
    const size_t begin = end == std::string::npos || end == 0 ? std::string::npos : path.rfind('/', end - 1);
    const std::string name = begin == std::string::npos ? "" : path.substr(begin + 1, end - begin - 1);
    return std::count(name.begin(), name.end(), ':') == 2 ? name : "";
}

} // namespace

void add_cxl(const Sysfs& sysfs, Graph& graph) {
    ProviderReport& report = graph.report(QIAO_TOPOLOGY_PROVIDER_CXL);
    size_t memories = 0;
    for (const std::string& name : sysfs.list("bus/cxl/devices")) {
        if (!name.starts_with("mem") || !parse_number(name.substr(3))) continue;
        const std::string path = "bus/cxl/devices/" + name, function = function_on(sysfs.resolve(path));
        uint32_t vertex = function.empty() ? kNone : place_pci_function(sysfs, function, QIAO_VERTEX_KIND_MEMORY, QIAO_LINK_KIND_CXL, graph);
        const std::string id = vertex == kNone ? "cxl:" + name : "pci:" + function;
        const std::optional<uint64_t> ram = bytes_of(sysfs, path + "/ram/size"), persistent = bytes_of(sysfs, path + "/pmem/size");
        vertex = graph.add_vertex({.id = id,
                                   .name = name,
                                   .kind = QIAO_VERTEX_KIND_MEMORY,
                                   .provider = QIAO_TOPOLOGY_PROVIDER_CXL,
                                   .memory_bytes = ram || persistent ? ram.value_or(0) + persistent.value_or(0) : QIAO_UNKNOWN});
        if (vertex == kNone) break;
        graph.add_alias("cxl:" + name, vertex);
        ++memories;
        const std::optional<int64_t> node = sysfs.number(path + "/numa_node");
        if (function.empty() && node && *node >= 0) graph.claim(vertex, graph.find(numa_id(static_cast<uint64_t>(*node))), QIAO_LINK_KIND_CXL, {});
    }
    if (memories == 0) return absent(report, "there is no memory device in bus/cxl/devices below " + sysfs.root());
    found(report, counted(memories, "memory device"));
}

} // namespace qiao::topology
