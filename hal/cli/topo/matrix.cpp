/* Up to kMostRows cards and ports stand against each other. Of more, the first card's ways to all others are counted instead: cards that it
 * reaches in the same way are one line. */
#include <algorithm>
#include <map>
#include <set>

#include "cli/table.h"
#include "cli/terminal.h"
#include "cli/topo/forms.h"

namespace qiao::cli {
namespace {

constexpr size_t kMostRows = 32;

struct Meaning {
    const char *label, *text;
};
constexpr Meaning kMeanings[] = {
    {"X", "itself"},
    {"PIX", "at most one PCIe switch"},
    {"PXB", "several PCIe switches"},
    {"PHB", "a PCIe host bridge"},
    {"NODE", "host bridges of one NUMA node"},
    {"SYS", "the connection between NUMA nodes"},
    {"NET", "a network"},
    {"-", "no way is known"},
};

std::string legend(const std::set<std::string>& used) {
    Table table;
    for (const Meaning& meaning : kMeanings) {
        if (used.contains(meaning.label)) table.add_row({meaning.label, meaning.text});
    }
    for (const std::string& label : used) {
        if (std::any_of(std::begin(kMeanings), std::end(kMeanings), [&](const Meaning& meaning) { return label == meaning.label; })) continue;
        const bool is_switched = label.ends_with("-SW");
        table.add_row({label, is_switched ? "switches of " + label.substr(0, label.size() - 3) : "a link of " + label + " between the two"});
    }
    return table.empty() ? "" : "\nLegend, nearest way:\n" + table.text("  ");
}

/* The CPUs and nodes that are nearest; "?" = nobody says. */
std::pair<std::string, std::string> affinity(const TopoModel& model, uint32_t vertex) {
    const std::vector<uint32_t> nodes = model.nearest(vertex, QIAO_VERTEX_KIND_NUMA_NODE);
    std::string cpus, numbers;
    uint32_t layer = 0;
    for (const uint32_t node : nodes) {
        const uint32_t links = model.path(vertex, node).link_count;
        if (layer != 0 && links != layer) break;
        layer = links;
        const TopoVertex& found = model.vertices[node];
        if (*found.cpus != '\0') cpus += (cpus.empty() ? "" : ",") + printable(found.cpus);
        numbers += (numbers.empty() ? "" : ",") + (found.os_index == kNoVertex ? printable(found.id) : std::to_string(found.os_index));
    }
    return {cpus.empty() ? "?" : cpus, numbers.empty() ? "?" : numbers};
}

/* Columns are as wide as their titles: without what PCI addresses and a model's ids begin with. */
std::string short_label(const TopoVertex& vertex) {
    constexpr std::string_view kFirstDomain = "pci:0000:";
    if (vertex.label.starts_with(kFirstDomain)) return vertex.label.substr(kFirstDomain.size());
    const size_t slash = vertex.label.rfind('/');
    const size_t before = slash == std::string::npos || slash == 0 ? std::string::npos : vertex.label.rfind('/', slash - 1);
    return before == std::string::npos ? vertex.label : vertex.label.substr(before + 1);
}

std::string full_matrix(const TopoModel& model, const std::vector<uint32_t>& rows) {
    Table table;
    std::vector<std::string> head = {""};
    for (const uint32_t vertex : rows)
        head.push_back(coloured(Colour::Title, printable(short_label(model.vertices[vertex]))));
    head.insert(head.end(), {"CPUs", "NUMA"});
    table.add_row(head);
    std::set<std::string> used;
    for (const uint32_t vertex : rows) {
        std::vector<std::string> row = {coloured(Colour::Title, printable(model.vertices[vertex].label))};
        for (const uint32_t other : rows) {
            row.push_back(path_label(model, model.path(vertex, other)));
            used.insert(row.back());
        }
        const auto [cpus, nodes] = affinity(model, vertex);
        row.insert(row.end(), {cpus, nodes});
        table.add_row(row);
    }
    return table.text() + legend(used);
}

/* "16 fragment x 10 node x 4 card": how often each stands in the one around it, if that is the same everywhere on the first one's way. */
std::string fold(const TopoModel& model, uint32_t card) {
    std::vector<uint32_t> way = model.containers(card);
    way.push_back(card);
    std::string text;
    for (size_t depth = 0; depth < way.size(); ++depth) {
        const TopoVertex& vertex = model.vertices[way[depth]];
        size_t count = 1;
        if (vertex.parent != kNoVertex) {
            const std::vector<uint32_t>& siblings = model.vertices[vertex.parent].children;
            count = static_cast<size_t>(std::count_if(siblings.begin(), siblings.end(), [&](uint32_t each) { return model.vertices[each].kind == vertex.kind; }));
        }
        std::string name = printable(*vertex.name != '\0' ? vertex.name : vertex.id);
        name = name.substr(0, name.find_last_not_of("0123456789 ") + 1);
        text += (text.empty() ? "" : " x ") + std::to_string(count) + ' ' + name;
    }
    return text;
}

std::string folded_matrix(const TopoModel& model, const std::vector<uint32_t>& cards) {
    struct Way {
        TopoPath path;
        uint32_t example = 0;
        size_t count = 0;
    };
    std::vector<std::pair<std::string, Way>> ways;
    std::set<std::string> used;
    for (const uint32_t card : cards) {
        if (card == cards[0]) continue;
        const TopoPath path = model.path(cards[0], card);
        const std::string label = path_label(model, path);
        used.insert(label);
        const std::string key = label + '/' + std::to_string(path.link_count) + '/' + std::to_string(path.bandwidth) + '/' + std::to_string(path.latency_ns) + '/' + std::to_string(path.alternatives);
        auto found = std::find_if(ways.begin(), ways.end(), [&](const auto& each) { return each.first == key; });
        if (found == ways.end()) found = ways.insert(ways.end(), {key, {path, card, 0}});
        ++found->second.count;
    }
    std::stable_sort(ways.begin(), ways.end(), [](const auto& a, const auto& b) { return a.second.path.link_count < b.second.path.link_count; });
    Table table;
    table.add_row({"cards", "such as", "way", "links", "bandwidth", "ways", "latency"});
    for (const auto& [key, way] : ways) {
        table.add_row({std::to_string(way.count), printable(model.vertices[way.example].label), path_label(model, way.path), std::to_string(way.path.link_count),
                       way.path.bandwidth == QIAO_UNKNOWN ? "?" : rate_text(way.path.bandwidth), std::to_string(way.path.alternatives),
                       way.path.latency_ns == QIAO_UNKNOWN ? "?" : time_text(static_cast<double>(way.path.latency_ns))});
    }
    const auto [cpus, nodes] = affinity(model, cards[0]);
    const std::string levels = model.containers(cards[0]).empty() ? "" : ": " + fold(model, cards[0]);
    return std::to_string(cards.size()) + " cards" + levels + "\n\nFrom " + printable(model.vertices[cards[0]].label) + " (NUMA " + nodes + ") to the others:\n" + table.text("  ") + legend(used);
}

} // namespace

std::string topo_matrix(const TopoModel& model) {
    std::vector<uint32_t> rows = model.of_kind(QIAO_VERTEX_KIND_CARD);
    const size_t cards = rows.size();
    for (const qiao_vertex_kind kind : {QIAO_VERTEX_KIND_PARTITION, QIAO_VERTEX_KIND_PORT}) {
        const std::vector<uint32_t> more = model.of_kind(kind);
        rows.insert(rows.end(), more.begin(), more.end());
    }
    if (rows.empty()) return "There is no card and no network port.\n";
    const bool is_modelled = std::any_of(rows.begin(), rows.end(), [&](uint32_t row) { return (model.vertices[row].flags & QIAO_TOPOLOGY_MODELLED) != 0; });
    std::string text = rows.size() > kMostRows && cards > 1 ? folded_matrix(model, {rows.begin(), rows.begin() + static_cast<ptrdiff_t>(cards)}) : full_matrix(model, rows);
    if (is_modelled) text += "\nWhat belongs to simulated cards is modelled: `qiao topo --json` has the grade of each figure.\n";
    return text;
}

std::string topo_providers(const TopoModel& model) {
    Table table;
    for (const qiao_topology_provider& provider : model.providers) {
        const Colour colour = provider.state == QIAO_PROVIDER_STATE_USED ? Colour::Good : provider.state == QIAO_PROVIDER_STATE_FAILED ? Colour::Bad : Colour::Quiet;
        table.add_row({qiao_topology_get_name(QIAO_TOPOLOGY_LIST_PROVIDER, provider.provider),
                       coloured(colour, qiao_topology_get_name(QIAO_TOPOLOGY_LIST_PROVIDER_STATE, provider.state)), printable(provider.text)});
    }
    return table.text();
}

} // namespace qiao::cli
