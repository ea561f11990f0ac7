// The words for the numbers of a topology.
#pragma once

#include <string>

#include "qiao/link.h"

namespace qiao::topology {

const char* name_of(qiao_topology_list list, uint32_t number);

// "3 cards", "1 card", "2 switches".
std::string counted(size_t count, const std::string& noun);

} // namespace qiao::topology
