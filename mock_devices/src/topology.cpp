/* From levels to single parts. While a level's instance is open, what is inside is gathered by the name of its part, for the links of the
 * levels around. */
#include "mock/topology.h"

#include <map>

namespace mock {
namespace {

using Members = std::map<std::string, std::vector<uint32_t>>;

class Expander {
  public:
    explicit Expander(const Topology& topology) : levels_(topology.levels) {
        for (const TopologyLevel& level : levels_) {
            for (const TopologyLink& link : level.links)
                result_.rules.push_back(&link);
        }
    }

    ExpandedTopology expand() {
        Members all;
        add_level(0, ExpandedTopology::kNone, "", 0, all);
        return std::move(result_);
    }

  private:
    uint32_t add(PartKind kind, std::string path, std::string name, uint32_t parent) {
        uint32_t number = ExpandedTopology::kNone;
        if (kind == PartKind::kCard) number = cards_++;
        if (kind == PartKind::kNuma) number = nodes_++;
        if (kind == PartKind::kPackage) number = packages_++;
        result_.vertices.push_back({kind, std::move(path), std::move(name), parent, number});
        return static_cast<uint32_t>(result_.vertices.size() - 1);
    }

    /* Every instance of the level in one of the level around it. */
    void add_level(size_t depth, uint32_t parent, const std::string& path, size_t rule, Members& around) {
        const TopologyLevel& level = levels_[depth];
        const bool is_cards = depth + 1 == levels_.size();
        for (uint32_t index = 0; index < level.count; ++index) {
            const std::string number = std::to_string(index), here = path + level.name + number;
            Members inside;
            const uint32_t instance = add(is_cards ? PartKind::kCard : PartKind::kGroup, here, level.name + ' ' + number, parent);
            if (is_cards) inside["card"].push_back(instance);
            Members own;
            for (const TopologyPart& part : level.parts)
                add_part(part, here + '/', is_cards ? parent : instance, own);
            if (!is_cards) add_level(depth + 1, instance, here + '/', rule + level.links.size(), inside);
            for (const auto& [name, members] : own)
                inside[name].insert(inside[name].end(), members.begin(), members.end());
            for (size_t each = 0; each < level.links.size(); ++each)
                add_links(level.links[each], static_cast<uint32_t>(rule + each), inside, own);
            for (const auto& [name, members] : inside)
                around[name].insert(around[name].end(), members.begin(), members.end());
        }
    }

    void add_part(const TopologyPart& part, const std::string& path, uint32_t parent, Members& own) {
        for (uint32_t index = 0; index < part.count; ++index) {
            const std::string number = part.count == 1 ? "" : std::to_string(index);
            own[part.name].push_back(add(part.kind, path + part.name + number, part.name + (number.empty() ? "" : " ") + number, parent));
        }
    }

    void add_links(const TopologyLink& link, uint32_t rule, const Members& inside, const Members& own) {
        const auto from = inside.find(link.from), to = own.find(link.to);
        if (from == inside.end() || to == own.end()) return;
        for (size_t index = 0; index < from->second.size(); ++index) {
            const uint32_t source = from->second[index];
            if (link.in_turn) {
                result_.links.push_back({source, to->second[index % to->second.size()], rule});
                continue;
            }
            for (const uint32_t target : to->second)
                result_.links.push_back({source, target, rule});
        }
    }

    const std::vector<TopologyLevel>& levels_;
    ExpandedTopology result_;
    uint32_t cards_ = 0, nodes_ = 0, packages_ = 0;
};

} // namespace

uint64_t Topology::card_count() const {
    uint64_t count = 1;
    for (const TopologyLevel& level : levels)
        count *= level.count;
    return count;
}

ExpandedTopology Topology::expand() const {
    return Expander(*this).expand();
}

} // namespace mock
