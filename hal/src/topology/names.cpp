// The words for the numbers of link_types.h and link.h; `qiao topo` and its JSON use no others.
#include "topology/names.h"

#include <iterator>

namespace qiao::topology {
namespace {

constexpr const char* kVertexKinds[] = {nullptr, "numa", "package", "card", "partition", "switch", "port", "bridge", "memory", "group"};
constexpr const char* kLinkKinds[] = {"unknown", "PCIe", "CXL", "xGMI", "HSL", "UB", "NVLink", "UALink", "network", "socket", "memory", "internal"};
constexpr const char* kProviders[] = {nullptr, "plugin", "pci", "kfd", "numa", "cxl", "infiniband", "hwloc", "libdrm"};
constexpr const char* kStates[] = {nullptr, "up", "degraded", "down", "training", "disabled"};
constexpr const char* kDistances[] = {"same", "direct", "fabric", "pcie-switch", "pcie-switches", "host-bridge", "numa-node", "system", "network", "none"};
constexpr const char* kGrades[] = {nullptr, "verified", "second-hand", "inferred", "remembered", "assumed"};
constexpr const char* kProviderStates[] = {nullptr, "used", "absent", "failed", "skipped"};

struct Attribute {
    const char *name, *unit;
};
constexpr Attribute kAttributes[] = {
    {nullptr, nullptr},
    {"generation", ""},
    {"lanes", ""},
    {"lanes_max", ""},
    {"rate", "/s"},
    {"rate_max", "/s"},
    {"bandwidth", "By/s"},
    {"bandwidth_least", "By/s"},
    {"latency", "ns"},
    {"latency_most", "ns"},
    {"hops", ""},
    {"weight", ""},
    {"fabric", ""},
    {"semantics", ""},
    {"coherence", ""},
    {"coherence_granule", "By"},
    {"coherence_domain", ""},
    {"translation", ""},
    {"pasid_bits", "bit"},
    {"ordering", ""},
    {"peer_access", ""},
    {"state", ""},
    {"switch_state", ""},
    {"transfer_bytes", "By"},
    {"errors_correctable", "{error}"},
    {"errors_nonfatal", "{error}"},
    {"errors_fatal", "{error}"},
    {"partner_errors_correctable", "{error}"},
    {"partner_errors_nonfatal", "{error}"},
    {"partner_errors_fatal", "{error}"},
    {"errors_replay", "{error}"},
    {"errors_recovery", "{error}"},
    {"errors_crc", "{error}"},
    {"errors_down", "{event}"},
    {"counter_epoch", ""},
};
static_assert(std::size(kAttributes) == QIAO_LINK_ATTRIBUTE_COUNT);

template <size_t count>
const char* at(const char* const (&names)[count], uint32_t number) {
    return number < count ? names[number] : nullptr;
}

} // namespace

const char* name_of(qiao_topology_list list, uint32_t number) {
    switch (list) {
        case QIAO_TOPOLOGY_LIST_VERTEX_KIND: return at(kVertexKinds, number);
        case QIAO_TOPOLOGY_LIST_LINK_KIND: return at(kLinkKinds, number);
        case QIAO_TOPOLOGY_LIST_ATTRIBUTE: return number < std::size(kAttributes) ? kAttributes[number].name : nullptr;
        case QIAO_TOPOLOGY_LIST_UNIT: return number < std::size(kAttributes) ? kAttributes[number].unit : nullptr;
        case QIAO_TOPOLOGY_LIST_PROVIDER: return at(kProviders, number);
        case QIAO_TOPOLOGY_LIST_STATE: return at(kStates, number);
        case QIAO_TOPOLOGY_LIST_DISTANCE: return at(kDistances, number);
        case QIAO_TOPOLOGY_LIST_GRADE: return at(kGrades, number);
        case QIAO_TOPOLOGY_LIST_PROVIDER_STATE: return at(kProviderStates, number);
        default: return nullptr;
    }
}

std::string counted(size_t count, const std::string& noun) {
    return std::to_string(count) + ' ' + noun + (count == 1 ? "" : noun.ends_with("tch") ? "es" : "s");
}

} // namespace qiao::topology
