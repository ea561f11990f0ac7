// Ways through a graph: from one source to everything, by layers. Of ways with equally few links the widest is kept, which is exact,
// since a layer's widths are final before the next layer is entered. Searches are kept only one per thread: no matrix is ever made.
#pragma once

#include <memory>
#include <vector>

#include "topology/graph.h"

namespace qiao::topology {

struct Path {
    std::vector<uint32_t> links;
    qiao_distance distance = QIAO_DISTANCE_NONE;
    uint32_t bottleneck = kNone;
    uint32_t alternatives = 0;
    uint64_t bandwidth = QIAO_UNKNOWN;
    uint64_t latency_ns = QIAO_UNKNOWN;
    uint32_t unknown_bandwidths = 0;
};

// Cards, their partitions and memory behind links end a way: they pass nothing on.
bool passes_on(qiao_vertex_kind kind);

class Search {
  public:
    Search(const Graph& graph, uint32_t source);

    // False if there is no way. `out_path` is overwritten; its memory is used again.
    bool path_to(uint32_t target, Path& out_path) const;
    // Vertices of the kind, nearest first; fewer links, then wider, then in order of their numbers.
    std::vector<uint32_t> nearest(qiao_vertex_kind kind) const;
    // How many links away; kNone = it is not reached.
    uint32_t links_to(uint32_t target) const { return reached_[target].layer; }

  private:
    struct Reached {
        uint32_t link = kNone;    // that the way comes by
        uint32_t layer = kNone;   // links from the source
        uint64_t width = 0;       // of the way, of what is known
        uint32_t ways = 0;        // as short and as wide
    };
    qiao_distance distance_of(const std::vector<uint32_t>& links, uint32_t source, uint32_t target) const;

    const Graph& graph_;
    const uint32_t source_;
    std::vector<Reached> reached_;
};

} // namespace qiao::topology
