// The graph of a topology: vertices, directed links, and what was said about them. Links of which all the same is known share a class,
// so ten thousand equal links cost twelve bytes each. Built once, then only read.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "qiao/link.h"

namespace qiao::topology {

inline constexpr uint32_t kNone = QIAO_VERTEX_NONE;
inline constexpr uint32_t kProviderCount = QIAO_TOPOLOGY_PROVIDER_LIBDRM + 1;

using Claim = qiao_link_claim;

// What a provider knows of a vertex; what others said before stays.
struct VertexFacts {
    std::string_view id;
    std::string_view name = "";
    std::string_view cpus = "";
    qiao_vertex_kind kind = QIAO_VERTEX_KIND_CARD;
    qiao_topology_provider_id provider = 0;
    uint32_t parent = kNone;
    uint32_t os_index = kNone;
    uint64_t flags = 0;
    uint64_t memory_bytes = QIAO_UNKNOWN;
    uint32_t pci_vendor_id = 0, pci_device_id = 0;
};

struct Vertex {
    uint32_t id = 0, name = 0, cpus = 0; // where the texts begin
    uint32_t parent = kNone;
    uint32_t os_index = kNone;
    uint32_t device = kNone; // index into the caller's list of devices
    uint32_t above = kNone;  // the next vertex towards the host, over PCI
    uint32_t pci_vendor_id = 0, pci_device_id = 0;
    uint64_t memory_bytes = QIAO_UNKNOWN;
    uint8_t kind = 0, provider = 0;
    uint8_t flags = 0;
};

struct Link {
    uint32_t source = 0, target = 0, link_class = 0;
};

// What is known of a link, and what of that paths need at hand.
struct LinkClass {
    qiao_link_kind kind = QIAO_LINK_KIND_UNKNOWN;
    uint64_t flags = 0;
    uint64_t conflicts = 0;
    std::vector<Claim> claims; // by attribute; of one the most trusted first
    uint64_t bandwidth = QIAO_UNKNOWN, latency_ns = QIAO_UNKNOWN;
    bool is_down = false;

    const Claim* find(qiao_link_attribute attribute) const;
};

struct ProviderReport {
    qiao_provider_state state = QIAO_PROVIDER_STATE_SKIPPED;
    uint32_t vertex_count = 0, claim_count = 0;
    std::string text = "it was not asked";
};

class Graph {
  public:
    // More than any machine has, and less than fills the memory of one: what lies beyond is refused with a note.
    static constexpr uint32_t kMostVertices = 1u << 22, kMostLinks = 1u << 24, kMostClasses = 1u << 20;
    static constexpr size_t kMostNotes = 200;

    // Building. A vertex is known by its id: of one that is there already, what was unknown is filled in. kNone = there are too many.
    uint32_t add_vertex(const VertexFacts& facts);
    // Another name for find().
    void add_alias(std::string_view id, uint32_t vertex) { ids_.emplace(std::string(id), vertex); }
    void set_device(uint32_t vertex, uint32_t device);
    void set_above(uint32_t vertex, uint32_t above) { vertices_[vertex].above = above; }
    // A provider says this of the link of this kind between the two, which is made if it is not there. `both` ways. A link to itself
    // is none.
    void claim(uint32_t source, uint32_t target, qiao_link_kind kind, std::span<const Claim> claims, bool both = true);
    // For many equal links: a class, then links of it, which must not be there already.
    uint32_t add_class(qiao_link_kind kind, uint64_t flags, std::span<const Claim> claims);
    bool add_link(uint32_t source, uint32_t target, uint32_t link_class);
    void note(std::string text);
    ProviderReport& report(qiao_topology_provider_id provider) { return reports_[provider]; }
    // No more building: links are sorted by their source.
    void finish();

    // Reading.
    const std::vector<Vertex>& vertices() const { return vertices_; }
    const std::vector<Link>& links() const { return links_; }
    const std::vector<LinkClass>& classes() const { return classes_; }
    const std::vector<std::string>& notes() const { return notes_; }
    const std::array<ProviderReport, kProviderCount>& reports() const { return reports_; }
    const LinkClass& class_of(uint32_t link) const { return classes_[links_[link].link_class]; }
    const char* text(uint32_t at) const { return texts_.data() + at; }
    uint32_t find(std::string_view id) const;
    // The numbers of the links that leave the vertex: [first, last).
    std::pair<uint32_t, uint32_t> links_of(uint32_t vertex) const { return {first_link_[vertex], first_link_[vertex + 1]}; }
    uint64_t host_bytes() const;

  private:
    uint32_t keep_text(std::string_view text);
    uint32_t intern(LinkClass&& link_class);
    void drop_unused_classes();
    uint32_t find_link(uint32_t source, uint32_t target, qiao_link_kind kind) const;

    struct Hash {
        using is_transparent = void;
        size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };
    std::vector<Vertex> vertices_;
    std::vector<Link> links_;
    std::vector<LinkClass> classes_;
    std::vector<uint32_t> first_link_;
    std::vector<char> texts_ = {'\0'}; // 0 = ""
    std::vector<std::string> notes_;
    std::array<ProviderReport, kProviderCount> reports_;
    std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>> ids_;
    std::unordered_multimap<size_t, uint32_t> class_of_hash_;       // while building
    std::unordered_multimap<uint64_t, uint32_t> link_between_;      // while building; of claim() only
};

} // namespace qiao::topology
