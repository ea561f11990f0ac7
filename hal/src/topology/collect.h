// A graph from all that can be asked below one root.
#pragma once

#include "topology/graph.h"

namespace qiao::topology {

struct Sources {
    std::string sysfs_root;       // what stands for /sys
    uint32_t providers = 0;       // bit (1 << provider); 0 = all
    std::vector<std::string> pci; // functions that are wanted whatever their class: "0000:01:00.0"

    bool has(qiao_topology_provider_id provider) const { return providers == 0 || (providers >> provider & 1) != 0; }
};

// Does not finish the graph: plugins may have more to say.
void collect(const Sources& sources, Graph& graph);

} // namespace qiao::topology
