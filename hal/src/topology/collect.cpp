// The order counts: NUMA nodes before what is near them, PCI before what lies on it.
#include "topology/collect.h"

#include "topology/providers.h"

namespace qiao::topology {

void collect(const Sources& sources, Graph& graph) {
    const Sysfs sysfs(sources.sysfs_root, graph);
    const bool is_this_machine = sources.sysfs_root == "/sys";
    if (sources.has(QIAO_TOPOLOGY_PROVIDER_NUMA)) add_numa(sysfs, graph);
    if (sources.has(QIAO_TOPOLOGY_PROVIDER_PCI)) add_pci(sysfs, sources.pci, graph);
    if (sources.has(QIAO_TOPOLOGY_PROVIDER_KFD)) add_kfd(sysfs, graph);
    if (sources.has(QIAO_TOPOLOGY_PROVIDER_CXL)) add_cxl(sysfs, graph);
    if (sources.has(QIAO_TOPOLOGY_PROVIDER_INFINIBAND)) add_infiniband(sysfs, graph);
    if (sources.has(QIAO_TOPOLOGY_PROVIDER_HWLOC)) add_hwloc(is_this_machine, graph);
    if (sources.has(QIAO_TOPOLOGY_PROVIDER_LIBDRM)) {
        if (is_this_machine) {
            add_libdrm(graph);
        } else {
            absent(graph.report(QIAO_TOPOLOGY_PROVIDER_LIBDRM), "it sees this machine only, and another root was asked for");
        }
    }
}

} // namespace qiao::topology
