// What the plugins of an instance know of a topology: what they tell through link_describe, checked, and where their devices are.
#pragma once

#include <string>
#include <vector>

#include "object/instance.h"
#include "topology/graph.h"

namespace qiao {

// Asks each plugin once. What makes no sense is left out, and a note in the graph says so.
void ask_plugins(const Instance& instance, topology::Graph& graph);

// Of the devices that are on PCI, as Linux writes them.
std::vector<std::string> pci_addresses(const Instance& instance);

}  // namespace qiao
