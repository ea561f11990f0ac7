// Who can say something about how things hang together. Each provider adds what it knows to the graph, and says in its report whether
// there was anything. They are asked in this order, since later ones refer to what earlier ones have placed.
#pragma once

#include <string>

#include "topology/graph.h"
#include "topology/names.h"
#include "topology/sysfs.h"

namespace qiao::topology {

void add_numa(const Sysfs& sysfs, Graph& graph);
// Cards, network ports and the functions named by `wanted` ("0000:01:00.0"), with the switches and host bridges above them.
void add_pci(const Sysfs& sysfs, const std::vector<std::string>& wanted, Graph& graph);
void add_kfd(const Sysfs& sysfs, Graph& graph);
void add_cxl(const Sysfs& sysfs, Graph& graph);
void add_infiniband(const Sysfs& sysfs, Graph& graph);
// These two see this machine only, not a root that stands for another.
void add_hwloc(bool is_this_machine, Graph& graph);
void add_libdrm(Graph& graph);

// "pci:0000:01:00.0"
std::string pci_id(uint32_t domain, uint32_t bus, uint32_t device, uint32_t function);
std::string numa_id(uint64_t index);

// A function with the way above it placed in the graph: its vertex, of this kind; kNone if sysfs does not have it. `link` is of the
// function's own link. Once placed it is only found.
uint32_t place_pci_function(const Sysfs& sysfs, const std::string& address, qiao_vertex_kind kind, qiao_link_kind link, Graph& graph);

// A report's usual ends.
inline void found(ProviderReport& report, std::string text) {
    report.state = QIAO_PROVIDER_STATE_USED;
    report.text = std::move(text);
}
inline void absent(ProviderReport& report, std::string text) {
    report.state = QIAO_PROVIDER_STATE_ABSENT;
    report.text = std::move(text);
}
inline void failed(ProviderReport& report, std::string text) {
    report.state = QIAO_PROVIDER_STATE_FAILED;
    report.text = std::move(text);
}

// Claims of one provider, gathered; what is unknown is left out.
class Claims {
  public:
    explicit Claims(qiao_topology_provider_id provider) : provider_(provider) {}
    Claims& add(qiao_link_attribute attribute, std::optional<uint64_t> value) {
        if (value) claims_.push_back({attribute, provider_, *value, 0, 0});
        return *this;
    }
    operator std::span<const Claim>() const { return claims_; }
    bool empty() const { return claims_.empty(); }

  private:
    qiao_topology_provider_id provider_;
    std::vector<Claim> claims_;
};

} // namespace qiao::topology
