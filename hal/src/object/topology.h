// A topology's state. The graph itself is in topology/graph.h: a handle only keeps it, and the instance whose devices it names.
#pragma once

#include <memory>

#include "object/instance.h"
#include "qiao/link.h"

namespace qiao {

namespace topology {
class Graph;
}

struct Topology {
    qiao_instance* instance = nullptr;
    std::shared_ptr<const topology::Graph> graph;
    uint64_t serial = 0; // no other topology of the process has it: handles' places are used again
};

}  // namespace qiao

struct alignas(64) qiao_topology {
    static constexpr uint64_t kTag = qiao::kTagTopology;
    qiao::Header header;
    union {
        qiao::Topology body;
    };
    qiao_topology() {}
    ~qiao_topology() {}
};
