/* How the cards of a machine hang together, by levels: cabinets of fragments of nodes of cards. Each level says how often it stands in the
 * one around it, what parts it has of its own, and how what is inside it is linked with them; so ten thousand cards are a few lines. */
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mock/timing.h"

namespace mock {

enum class PartKind : uint8_t { kNuma, kPackage, kSwitch, kPort, kCard, kGroup };
enum class LinkKind : uint8_t { kPcie, kCxl, kXgmi, kHsl, kUb, kNvlink, kUalink, kNetwork, kMemory, kInternal };
enum class LinkFigure : uint8_t { kBandwidth, kLatency, kLanes, kRate, kGeneration, kHops, kCoherence, kSemantics };

struct TopologyPart {
    std::string name;
    PartKind kind = PartKind::kSwitch;
    uint32_t count = 1;
};

/* Every `from` inside an instance of the level is linked, both ways, with every `to` of that instance; or with one of them, in turn. */
struct TopologyLink {
    std::string from, to; /* names of parts; "card" */
    LinkKind kind = LinkKind::kPcie;
    bool in_turn = false;
    std::vector<std::pair<LinkFigure, Figure>> figures;
};

struct TopologyLevel {
    std::string name;
    uint32_t count = 1;
    std::vector<TopologyPart> parts;
    std::vector<TopologyLink> links;
};

/* The same with every part by itself. */
struct ExpandedTopology {
    static constexpr uint32_t kNone = UINT32_MAX;
    struct Vertex {
        PartKind kind = PartKind::kGroup;
        std::string path; /* "cabinet0/fragment3/node2/HySW1" */
        std::string name; /* "HySW 1" */
        uint32_t parent = kNone;
        uint32_t number = kNone; /* of a card: which; of a NUMA node or package: counted through */
    };
    struct Link {
        uint32_t source = 0, target = 0, rule = 0; /* the rule: a number in `rules` */
    };
    std::vector<Vertex> vertices; /* parents before what they contain */
    std::vector<const TopologyLink*> rules; /* of the topology, which must live as long */
    std::vector<Link> links;                /* one way; the other is like it */
};

struct Topology {
    std::vector<TopologyLevel> levels; /* outermost first; the last is that of cards */

    uint64_t card_count() const;
    ExpandedTopology expand() const;
};

} // namespace mock
