/* Which keys levels, parts and links have, their types and limits. README.md documents each. */
#include "topology_reader.h"

#include <algorithm>
#include <set>

#include "profile_errors.h"

namespace mock {
namespace {

constexpr uint64_t kMaxCount = 16384, kMaxLinks = 1'000'000;
constexpr size_t kMaxLevels = 8, kMaxEntries = 16, kMaxName = 24;

template <typename Kind>
struct Word {
    const char* name;
    Kind kind;
};
constexpr Word<PartKind> kPartKinds[] = {
    {"numa", PartKind::kNuma}, {"package", PartKind::kPackage}, {"switch", PartKind::kSwitch}, {"port", PartKind::kPort}};
constexpr Word<LinkKind> kLinkKinds[] = {
    {"PCIe", LinkKind::kPcie},     {"CXL", LinkKind::kCxl},       {"xGMI", LinkKind::kXgmi},     {"HSL", LinkKind::kHsl},
    {"UB", LinkKind::kUb},         {"NVLink", LinkKind::kNvlink}, {"UALink", LinkKind::kUalink}, {"network", LinkKind::kNetwork},
    {"memory", LinkKind::kMemory}, {"internal", LinkKind::kInternal}};

struct FigureKey {
    const char* name;
    LinkFigure figure;
    uint64_t most;
};
constexpr FigureKey kFigures[] = {
    {"bandwidth_bytes_per_s", LinkFigure::kBandwidth, 1'000'000'000'000'000},
    {"latency_ns", LinkFigure::kLatency, 1'000'000'000},
    {"lanes", LinkFigure::kLanes, 1024},
    {"rate_per_s", LinkFigure::kRate, 1'000'000'000'000'000},
    {"generation", LinkFigure::kGeneration, 100},
    {"hops", LinkFigure::kHops, 100},
    {"coherence", LinkFigure::kCoherence, 3},
    {"semantics", LinkFigure::kSemantics, 127},
};

class Reader : private ProfileErrors {
  public:
    using ProfileErrors::ProfileErrors;

    Status read(const Json& object, Topology& topology) const {
        if (!object.is_object()) return wrong("topology", object, "an object with \"levels\"");
        for (const auto& [key, value] : object.items()) {
            if (key != "levels") return unknown("topology." + key, value, "levels");
        }
        if (!object.contains("levels")) return missing("topology.levels");
        const Json& levels = object["levels"];
        if (!levels.is_array() || levels.empty() || levels.size() > kMaxLevels) {
            return wrong("topology.levels", levels, "a list of 1 to " + std::to_string(kMaxLevels) + " levels, the last that of cards");
        }
        for (size_t index = 0; index < levels.size(); ++index) {
            const std::string where = "topology.levels[" + std::to_string(index) + "]";
            if (Status status = read_level(where, levels[index], topology.levels.emplace_back()); !status.ok()) return status;
            if (topology.card_count() > kMaxCount) return fail(where + ": more than " + std::to_string(kMaxCount) + " instances in all");
        }
        return check_links(topology);
    }

  private:
    Status read_level(const std::string& where, const Json& object, TopologyLevel& level) const {
        if (!object.is_object()) return wrong(where, object, "an object");
        for (const auto& [key, value] : object.items()) {
            const std::string name = where + "." + key;
            Status status;
            if (key == "name") {
                status = read_name(name, value, level.name);
            } else if (key == "count") {
                status = read_count(name, value, level.count);
            } else if (key == "parts") {
                status = read_list(name, value, level.parts, &Reader::read_part);
            } else if (key == "links") {
                status = read_list(name, value, level.links, &Reader::read_link);
            } else {
                status = unknown(name, value, "name, count, parts, links");
            }
            if (!status.ok()) return status;
        }
        return level.name.empty() ? missing(where + ".name") : Status();
    }

    template <typename Entry>
    Status read_list(const std::string& where, const Json& list, std::vector<Entry>& entries,
                     Status (Reader::*read_entry)(const std::string&, const Json&, Entry&) const) const {
        if (!list.is_array() || list.size() > kMaxEntries) return wrong(where, list, "a list of at most " + std::to_string(kMaxEntries) + " objects");
        for (size_t index = 0; index < list.size(); ++index) {
            const std::string element = where + "[" + std::to_string(index) + "]";
            if (!list[index].is_object()) return wrong(element, list[index], "an object");
            if (Status status = (this->*read_entry)(element, list[index], entries.emplace_back()); !status.ok()) return status;
        }
        return {};
    }

    Status read_part(const std::string& where, const Json& object, TopologyPart& part) const {
        for (const auto& [key, value] : object.items()) {
            const std::string name = where + "." + key;
            Status status;
            if (key == "name") {
                status = read_name(name, value, part.name);
            } else if (key == "kind") {
                status = read_word(name, value, kPartKinds, part.kind);
            } else if (key == "count") {
                status = read_count(name, value, part.count);
            } else {
                status = unknown(name, value, "name, kind, count");
            }
            if (!status.ok()) return status;
        }
        if (part.name.empty()) return missing(where + ".name");
        return object.contains("kind") ? Status() : missing(where + ".kind");
    }

    Status read_link(const std::string& where, const Json& object, TopologyLink& link) const {
        for (const auto& [key, value] : object.items()) {
            const std::string name = where + "." + key;
            const auto figure = std::find_if(std::begin(kFigures), std::end(kFigures), [&](const FigureKey& each) { return key == each.name; });
            Status status;
            if (key == "from") {
                status = read_name(name, value, link.from);
            } else if (key == "to") {
                status = read_name(name, value, link.to);
            } else if (key == "kind") {
                status = read_word(name, value, kLinkKinds, link.kind);
            } else if (key == "match") {
                if (value != "all" && value != "in turn") return wrong(name, value, "\"all\" or \"in turn\"");
                link.in_turn = value == "in turn";
            } else if (figure != std::end(kFigures)) {
                link.figures.emplace_back(figure->figure, Figure());
                status = read_figure(name, value, 0, figure->most, link.figures.back().second);
            } else {
                status = unknown(name, value, "from, to, kind, match, " + names(kFigures));
            }
            if (!status.ok()) return status;
        }
        for (const char* key : {"from", "to", "kind"}) {
            if (!object.contains(key)) return missing(where + "." + key);
        }
        return {};
    }

    Status read_name(const std::string& where, const Json& value, std::string& out) const {
        if (Status status = read_text(where, value, kMaxName, out); !status.ok()) return status;
        return out.empty() || out.find('/') != std::string::npos ? wrong(where, value, "a text that is not empty, without '/'") : Status();
    }

    Status read_count(const std::string& where, const Json& value, uint32_t& out) const {
        uint64_t count = 0;
        Status status = read_number(where, value, 1, kMaxCount, count);
        out = static_cast<uint32_t>(count);
        return status;
    }

    template <typename Kind, size_t count>
    Status read_word(const std::string& where, const Json& value, const Word<Kind> (&words)[count], Kind& out) const {
        for (const Word<Kind>& word : words) {
            if (value != word.name) continue;
            out = word.kind;
            return {};
        }
        return wrong(where, value, "one of " + names(words));
    }

    /* Names stand for one part each, ends are there, and all together is no more than a machine has. */
    Status check_links(const Topology& topology) const {
        std::set<std::string> inside = {"card"};
        uint64_t links = 0, instances = 1;
        for (const TopologyLevel& level : topology.levels)
            instances *= level.count;
        for (auto level = topology.levels.rbegin(); level != topology.levels.rend(); ++level) {
            std::set<std::string> own;
            uint64_t parts = 0;
            for (const TopologyPart& part : level->parts) {
                if (!inside.insert(part.name).second) return fail("topology: two parts are called \"" + part.name + "\"");
                own.insert(part.name);
                parts += part.count;
            }
            for (const TopologyLink& link : level->links) {
                if (!inside.contains(link.from)) return fail("topology: level \"" + level->name + "\" has no \"" + link.from + "\" inside to link from");
                if (!own.contains(link.to)) return fail("topology: level \"" + level->name + "\" has no part \"" + link.to + "\" to link to");
                if (link.from == link.to) return fail("topology: \"" + link.from + "\" is linked with itself");
                links += instances * parts;
            }
            if (parts > kMaxCount || links > kMaxLinks) return fail("topology: there are more than " + std::to_string(kMaxLinks) + " links");
        }
        return {};
    }
};

} // namespace

Status read_topology(const Json& object, const std::string& origin, Topology& topology) {
    return Reader(origin).read(object, topology);
}

} // namespace mock
