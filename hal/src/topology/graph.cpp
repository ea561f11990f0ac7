// Classes are interned by their contents. Of one attribute all claims are kept; they conflict if their values differ by more than
// rounding explains.
#include "topology/graph.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace qiao::topology {
namespace {

// What a device says of itself before what was read of it, and that before what was derived.
constexpr uint32_t kTrust[kProviderCount] = {0, 1, 2, 3, 4, 5, 6, 7, 8};

uint64_t between(uint32_t source, uint32_t target) {
    return uint64_t{source} << 32 | target;
}

// Rates and times are rounded by those who tell them.
bool is_rounded(qiao_link_attribute attribute) {
    switch (attribute) {
        case QIAO_LINK_ATTRIBUTE_RATE:
        case QIAO_LINK_ATTRIBUTE_RATE_MAX:
        case QIAO_LINK_ATTRIBUTE_BANDWIDTH:
        case QIAO_LINK_ATTRIBUTE_BANDWIDTH_LEAST:
        case QIAO_LINK_ATTRIBUTE_LATENCY:
        case QIAO_LINK_ATTRIBUTE_LATENCY_MOST:
            return true;
        default:
            return false;
    }
}

bool agree(const Claim& a, const Claim& b) {
    if (!is_rounded(a.attribute)) return a.value == b.value;
    const uint64_t most = std::max(a.value, b.value), least = std::min(a.value, b.value);
    return most - least <= most / 16;
}

bool comes_before(const Claim& a, const Claim& b) {
    return a.attribute != b.attribute ? a.attribute < b.attribute : kTrust[a.provider] < kTrust[b.provider];
}

bool same(const Claim& a, const Claim& b) {
    return a.attribute == b.attribute && a.provider == b.provider && a.value == b.value && a.grade == b.grade;
}

bool same(const LinkClass& a, const LinkClass& b) {
    return a.kind == b.kind && a.flags == b.flags &&
           std::equal(a.claims.begin(), a.claims.end(), b.claims.begin(), b.claims.end(), [](const Claim& x, const Claim& y) { return same(x, y); });
}

size_t hash_of(const LinkClass& link_class) {
    size_t hash = link_class.kind * 31 + link_class.flags;
    for (const Claim& claim : link_class.claims) {
        for (const uint64_t part : {uint64_t{claim.attribute} << 32 | claim.provider, claim.value, uint64_t{claim.grade}})
            hash = (hash ^ part) * 0x100000001b3;
    }
    return hash;
}

// What is at hand follows from the claims.
void settle(LinkClass& link_class) {
    std::stable_sort(link_class.claims.begin(), link_class.claims.end(), comes_before);
    link_class.conflicts = 0;
    for (size_t i = 1; i < link_class.claims.size(); ++i) {
        const Claim &before = link_class.claims[i - 1], &claim = link_class.claims[i];
        if (before.attribute == claim.attribute && !agree(before, claim)) link_class.conflicts |= UINT64_C(1) << claim.attribute;
    }
    const auto value = [&](qiao_link_attribute attribute) {
        const Claim* claim = link_class.find(attribute);
        return claim == nullptr ? QIAO_UNKNOWN : claim->value;
    };
    link_class.flags = (link_class.flags & ~QIAO_LINK_CONFLICT) | (link_class.conflicts != 0 ? QIAO_LINK_CONFLICT : 0);
    link_class.bandwidth = value(QIAO_LINK_ATTRIBUTE_BANDWIDTH);
    link_class.latency_ns = value(QIAO_LINK_ATTRIBUTE_LATENCY);
    const uint64_t state = value(QIAO_LINK_ATTRIBUTE_STATE);
    link_class.is_down = state == QIAO_LINK_STATE_DOWN || state == QIAO_LINK_STATE_DISABLED;
}

} // namespace

const Claim* LinkClass::find(qiao_link_attribute attribute) const {
    for (const Claim& claim : claims) {
        if (claim.attribute == attribute) return &claim;
    }
    return nullptr;
}

uint32_t Graph::keep_text(std::string_view text) {
    if (text.empty()) return 0;
    const size_t at = texts_.size();
    texts_.insert(texts_.end(), text.begin(), text.end());
    texts_.push_back('\0');
    return static_cast<uint32_t>(at);
}

uint32_t Graph::find(std::string_view id) const {
    const auto found = ids_.find(id);
    return found == ids_.end() ? kNone : found->second;
}

uint32_t Graph::add_vertex(const VertexFacts& facts) {
    uint32_t index = find(facts.id);
    if (index == kNone) {
        if (vertices_.size() >= kMostVertices) {
            note("there are more than " + std::to_string(kMostVertices) + " vertices: the rest is left out");
            return kNone;
        }
        index = static_cast<uint32_t>(vertices_.size());
        Vertex& made = vertices_.emplace_back();
        made.id = keep_text(facts.id);
        made.kind = static_cast<uint8_t>(facts.kind);
        made.provider = static_cast<uint8_t>(facts.provider);
        ids_.emplace(std::string(facts.id), index);
        ++reports_[facts.provider].vertex_count;
    }
    Vertex& vertex = vertices_[index];
    if (vertex.name == 0) vertex.name = keep_text(facts.name);
    if (vertex.cpus == 0) vertex.cpus = keep_text(facts.cpus);
    if (vertex.parent == kNone && facts.parent != index) vertex.parent = facts.parent;
    if (vertex.os_index == kNone) vertex.os_index = facts.os_index;
    if (vertex.memory_bytes == QIAO_UNKNOWN) vertex.memory_bytes = facts.memory_bytes;
    if (vertex.pci_vendor_id == 0) {
        vertex.pci_vendor_id = facts.pci_vendor_id;
        vertex.pci_device_id = facts.pci_device_id;
    }
    vertex.flags |= static_cast<uint8_t>(facts.flags);
    return index;
}

void Graph::set_device(uint32_t vertex, uint32_t device) {
    if (vertices_[vertex].device == kNone) vertices_[vertex].device = device;
}

uint32_t Graph::find_link(uint32_t source, uint32_t target, qiao_link_kind kind) const {
    const auto [first, last] = link_between_.equal_range(between(source, target));
    for (auto each = first; each != last; ++each) {
        if (class_of(each->second).kind == kind) return each->second;
    }
    return kNone;
}

uint32_t Graph::intern(LinkClass&& link_class) {
    settle(link_class);
    const size_t hash = hash_of(link_class);
    const auto [first, last] = class_of_hash_.equal_range(hash);
    for (auto each = first; each != last; ++each) {
        if (same(classes_[each->second], link_class)) return each->second;
    }
    if (classes_.size() >= kMostClasses) {
        note("links differ in more than " + std::to_string(kMostClasses) + " ways: what else is known of them is left out");
        return 0;
    }
    const auto index = static_cast<uint32_t>(classes_.size());
    classes_.push_back(std::move(link_class));
    class_of_hash_.emplace(hash, index);
    return index;
}

void Graph::claim(uint32_t source, uint32_t target, qiao_link_kind kind, std::span<const Claim> claims, bool both) {
    if (source == kNone || target == kNone || source == target) return;
    uint32_t link = find_link(source, target, kind);
    LinkClass link_class;
    link_class.kind = kind;
    if (link != kNone) link_class = class_of(link);
    for (const Claim& claim : claims) {
        if (std::any_of(link_class.claims.begin(), link_class.claims.end(), [&](const Claim& other) { return same(claim, other); })) continue;
        link_class.claims.push_back(claim);
        ++reports_[claim.provider].claim_count;
    }
    const uint32_t interned = intern(std::move(link_class));
    if (link != kNone) {
        links_[link].link_class = interned;
    } else if (add_link(source, target, interned)) {
        link_between_.emplace(between(source, target), static_cast<uint32_t>(links_.size() - 1));
    }
    if (both) claim(target, source, kind, claims, false);
}

uint32_t Graph::add_class(qiao_link_kind kind, uint64_t flags, std::span<const Claim> claims) {
    LinkClass link_class;
    link_class.kind = kind;
    link_class.flags = flags;
    link_class.claims.assign(claims.begin(), claims.end());
    for (const Claim& claim : claims)
        ++reports_[claim.provider].claim_count;
    return intern(std::move(link_class));
}

bool Graph::add_link(uint32_t source, uint32_t target, uint32_t link_class) {
    if (links_.size() >= kMostLinks) {
        note("there are more than " + std::to_string(kMostLinks) + " links: the rest is left out");
        return false;
    }
    links_.push_back({source, target, link_class});
    return true;
}

void Graph::note(std::string text) {
    if (notes_.size() > kMostNotes || (!notes_.empty() && notes_.back() == text)) return;
    notes_.push_back(notes_.size() == kMostNotes ? "there is more to note: it is left out" : std::move(text));
}

void Graph::finish() {
    std::stable_sort(links_.begin(), links_.end(), [](const Link& a, const Link& b) { return a.source < b.source; });
    first_link_.assign(vertices_.size() + 1, 0);
    for (const Link& link : links_)
        ++first_link_[link.source + 1];
    std::partial_sum(first_link_.begin(), first_link_.end(), first_link_.begin());
    drop_unused_classes();
    class_of_hash_ = {};
    link_between_ = {};
    vertices_.shrink_to_fit();
    links_.shrink_to_fit();
    texts_.shrink_to_fit();
}

// While a link gathered claims it passed through classes that no link has in the end.
void Graph::drop_unused_classes() {
    std::vector<uint32_t> number(classes_.size(), kNone);
    std::vector<LinkClass> used;
    for (Link& link : links_) {
        uint32_t& kept = number[link.link_class];
        if (kept == kNone) {
            kept = static_cast<uint32_t>(used.size());
            used.push_back(std::move(classes_[link.link_class]));
        }
        link.link_class = kept;
    }
    classes_ = std::move(used);
}

uint64_t Graph::host_bytes() const {
    constexpr size_t kMapEntry = sizeof(std::string) + 40; // and a long id's own text
    uint64_t bytes = sizeof *this + vertices_.capacity() * sizeof(Vertex) + links_.capacity() * sizeof(Link) + first_link_.capacity() * 4 + texts_.capacity() * 2 +
                     ids_.size() * kMapEntry + ids_.bucket_count() * sizeof(void*);
    for (const LinkClass& link_class : classes_)
        bytes += sizeof link_class + link_class.claims.capacity() * sizeof(Claim);
    return bytes;
}

} // namespace qiao::topology
