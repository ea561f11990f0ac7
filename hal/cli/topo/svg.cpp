/* A picture: what contains what as nested boxes, packed in rows; cards and ports as boxes of their own with their link and its state. Of very
 * many cards each is a square. Fabric links between few cards are drawn as arcs. One file, no script, no font of its own. */
#include <algorithm>
#include <cmath>
#include <set>

#include "cli/topo/forms.h"

namespace qiao::cli {
namespace {

constexpr size_t kMostNamed = 64, kMostSquares = 4096;
constexpr double kGap = 10, kHead = 24;

std::string escaped(const std::string& text) {
    std::string result;
    for (const char c : text) {
        switch (c) {
            case '<': result += "&lt;"; break;
            case '>': result += "&gt;"; break;
            case '&': result += "&amp;"; break;
            case '"': result += "&quot;"; break;
            case '\'': result += "&#39;"; break;
            /* XML has no way at all to write most control characters. */
            default: result += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
        }
    }
    return result;
}

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    return text;
}

const char* colour_of_state(uint64_t state) {
    switch (state) {
        case QIAO_LINK_STATE_UP: return "#2e9e6b";
        case QIAO_LINK_STATE_DEGRADED: return "#e0a100";
        case QIAO_LINK_STATE_TRAINING: return "#5b8def";
        case QIAO_LINK_STATE_DOWN:
        case QIAO_LINK_STATE_DISABLED: return "#d64545";
        default: return "#9aa3ad";
    }
}

const char* fill_of_kind(qiao_vertex_kind kind) {
    switch (kind) {
        case QIAO_VERTEX_KIND_CARD:
        case QIAO_VERTEX_KIND_PARTITION: return "#e6f4ee";
        case QIAO_VERTEX_KIND_PORT: return "#e9effc";
        case QIAO_VERTEX_KIND_SWITCH: return "#f5ecfb";
        case QIAO_VERTEX_KIND_MEMORY: return "#fdf3e1";
        case QIAO_VERTEX_KIND_NUMA_NODE: return "#f3f6f9";
        default: return "#ffffff";
    }
}

bool is_leaf_kind(qiao_vertex_kind kind) {
    return kind == QIAO_VERTEX_KIND_CARD || kind == QIAO_VERTEX_KIND_PARTITION || kind == QIAO_VERTEX_KIND_PORT || kind == QIAO_VERTEX_KIND_MEMORY || kind == QIAO_VERTEX_KIND_SWITCH;
}

struct Box {
    uint32_t vertex = 0;
    double x = 0, y = 0, width = 0, height = 0; /* x and y: within the box around it */
    std::vector<Box> inside;
};

class Picture {
  public:
    explicit Picture(const TopoModel& model)
        : model_(model), cards_(model.of_kind(QIAO_VERTEX_KIND_CARD).size()), leaves_(std::count_if(model.vertices.begin(), model.vertices.end(), [](const TopoVertex& vertex) { return is_leaf_kind(vertex.kind); })),
          places_(model.vertices.size()), inside_(model.vertices.size()) {
        for (uint32_t index = 0; index < model.vertices.size(); ++index) {
            const uint32_t around = around_of(index);
            (around == kNoVertex ? roots_ : inside_[around]).push_back(index);
        }
    }

    std::string text() {
        std::vector<Box> boxes;
        for (const uint32_t root : roots_)
            boxes.push_back(box_of(root, 0));
        const auto [width, height] = pack(boxes, 20, 64, cards_ > kMostNamed ? 1600 : 1100);
        const double total_width = std::max(width + 20, 640.0), total_height = height + 70;
        std::string shapes, texts; /* arcs lie over boxes and under what is written */
        for (const Box& box : boxes)
            draw(box, 0, 0, shapes, texts);
        draw_arcs(shapes);
        draw_legend(total_height - 34, texts);
        const std::string size = "width=\"" + number(total_width) + "\" height=\"" + number(total_height) + "\" viewBox=\"0 0 " + number(total_width) + ' ' + number(total_height) + '"';
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" " + size + " font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"#1f2933\">\n<title>Topology</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n" +
               write(20, 28, "How cards and host hang together", "font-size=\"18\" font-weight=\"600\"") + write(20, 48, subtitle(), "fill=\"#52606d\"") + shapes + texts + "</svg>\n";
    }

  private:
    static std::string write(double x, double y, const std::string& what, const std::string& more = "") {
        return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" " + more + '>' + escaped(what) + "</text>\n";
    }

    std::string subtitle() const {
        const size_t ports = model_.of_kind(QIAO_VERTEX_KIND_PORT).size(), nodes = model_.of_kind(QIAO_VERTEX_KIND_NUMA_NODE).size();
        const bool is_modelled = std::any_of(model_.vertices.begin(), model_.vertices.end(), [](const TopoVertex& vertex) { return (vertex.flags & QIAO_TOPOLOGY_MODELLED) != 0; });
        return std::to_string(cards_) + " cards, " + std::to_string(nodes) + " NUMA nodes, " + std::to_string(ports) + " network ports, " + std::to_string(model_.links.size()) + " directed links" + (is_modelled ? "; modelled in part" : "");
    }

    /* As in the tree, but packages, NUMA nodes, PCIe switches and groups are the boxes; bridges are not drawn. */
    uint32_t around_of(uint32_t index) const {
        const TopoVertex& vertex = model_.vertices[index];
        if (vertex.kind == QIAO_VERTEX_KIND_PACKAGE && vertex.parent == kNoVertex) return kNoVertex;
        if (vertex.parent < index) return vertex.parent;
        if (vertex.kind == QIAO_VERTEX_KIND_NUMA_NODE) return kNoVertex;
        for (const uint32_t link : vertex.links) {
            const uint32_t target = model_.links[link].target;
            const qiao_vertex_kind kind = model_.vertices[target].kind;
            if (target < index && (kind == QIAO_VERTEX_KIND_BRIDGE || kind == QIAO_VERTEX_KIND_NUMA_NODE || (kind == QIAO_VERTEX_KIND_SWITCH && model_.class_of(link).kind == QIAO_LINK_KIND_PCIE))) return target;
        }
        return kNoVertex;
    }

    bool is_square() const { return leaves_ > static_cast<ptrdiff_t>(kMostNamed) * 2; }

    Box box_of(uint32_t index, int depth) {
        const TopoVertex& vertex = model_.vertices[index];
        Box box{.vertex = index, .inside = {}};
        const bool is_too_many = leaves_ > static_cast<ptrdiff_t>(kMostSquares) && depth >= 3;
        if (depth < 32 && !is_too_many) {
            for (const uint32_t child : inside_[index]) {
                const qiao_vertex_kind kind = model_.vertices[child].kind;
                if (is_square() && kind != QIAO_VERTEX_KIND_GROUP && kind != QIAO_VERTEX_KIND_CARD && kind != QIAO_VERTEX_KIND_SWITCH && kind != QIAO_VERTEX_KIND_PORT && inside_[child].empty()) continue;
                box.inside.push_back(box_of(child, depth + 1));
            }
        }
        if (box.inside.empty()) {
            box.width = is_square() ? 12 : 190;
            box.height = is_square() ? 12 : 46;
            return box;
        }
        const bool is_small = is_square() && std::none_of(box.inside.begin(), box.inside.end(), [](const Box& each) { return !each.inside.empty(); });
        const double head = is_small ? 16 : vertex.kind == QIAO_VERTEX_KIND_SWITCH ? 40 : kHead;
        const double widest = is_small ? 70 : is_square() ? (has_groups_below(box) ? 1560 : 400) : 430;
        const auto [width, height] = pack(box.inside, is_small ? 4 : kGap, head, widest, is_small ? 3 : kGap);
        box.width = std::max(width, is_square() ? 44.0 : 210.0);
        box.height = height;
        return box;
    }

    /* What is inside contains groups of groups: a cabinet of fragments of nodes. */
    static bool has_groups_below(const Box& box) {
        return std::any_of(box.inside.begin(), box.inside.end(), [](const Box& each) { return std::any_of(each.inside.begin(), each.inside.end(), [](const Box& inner) { return !inner.inside.empty(); }); });
    }

    /* In rows no wider than `widest`, where one does not need more by itself. */
    static std::pair<double, double> pack(std::vector<Box>& boxes, double margin, double head, double widest, double gap = kGap) {
        double x = margin, y = head, row = 0, width = 0;
        for (Box& box : boxes) {
            if (x > margin && x + box.width + margin > widest) {
                x = margin;
                y += row + gap;
                row = 0;
            }
            box.x = x;
            box.y = y;
            x += box.width + gap;
            row = std::max(row, box.height);
            width = std::max(width, x - gap + margin);
        }
        return {width, y + row + margin};
    }

    void draw(const Box& box, double x, double y, std::string& out, std::string& texts) {
        const TopoVertex& vertex = model_.vertices[box.vertex];
        const double left = x + box.x, top = y + box.y;
        places_[box.vertex] = {left, top, box.width, box.height};
        const uint64_t state = model_.worst_state(box.vertex);
        const std::string place = "x=\"" + number(left) + "\" y=\"" + number(top) + "\" width=\"" + number(box.width) + "\" height=\"" + number(box.height) + '"';
        const bool is_bridge = vertex.kind == QIAO_VERTEX_KIND_BRIDGE;
        const std::string title = "<title>" + escaped(vertex.label + (*vertex.name != '\0' ? std::string(" - ") + vertex.name : "")) + "</title>";
        if (box.width < 20) {
            const char* fill = vertex.kind == QIAO_VERTEX_KIND_CARD ? colour_of_state(state) : vertex.kind == QIAO_VERTEX_KIND_PORT ? "#b9c9ee" : vertex.kind == QIAO_VERTEX_KIND_SWITCH ? "#c9a7e0" : "#cbd2d9";
            out += "<rect " + place + " rx=\"2\" fill=\"" + fill + "\">" + title + "</rect>\n";
            return;
        }
        out += "<rect " + place + " rx=\"6\" fill=\"" + fill_of_kind(vertex.kind) + "\" stroke=\"" + (is_bridge ? "#e4e7eb" : "#cbd2d9") + "\">" + title + "</rect>\n";
        if (box.inside.empty() || vertex.kind == QIAO_VERTEX_KIND_SWITCH) {
            out += "<rect x=\"" + number(left) + "\" y=\"" + number(top) + "\" width=\"5\" height=\"" + number(box.height) + "\" rx=\"2\" fill=\"" + colour_of_state(state) + "\"/>\n";
            texts += write(left + 12, top + 18, fit(vertex.label + (*vertex.name != '\0' ? std::string("  ") + vertex.name : ""), box.width - 16), "font-weight=\"600\"");
            texts += write(left + 12, top + 34, fit(first_link(box.vertex), box.width - 16), "font-size=\"10\" fill=\"#52606d\"");
        } else {
            const std::string label = vertex.kind == QIAO_VERTEX_KIND_GROUP && *vertex.name != '\0' ? vertex.name : vertex.label;
            const std::string cpus = *vertex.cpus != '\0' ? std::string("  CPUs ") + vertex.cpus : "";
            const bool is_small = box.width < 100;
            texts += write(left + (is_small ? 4 : 10), top + (is_small ? 11 : 16), fit(label + cpus, box.width - 8), is_small ? "font-size=\"8\" fill=\"#52606d\"" : "font-weight=\"600\" fill=\"#52606d\"");
        }
        for (const Box& each : box.inside)
            draw(each, left, top, out, texts);
    }

    static std::string fit(const std::string& text, double width) {
        const auto most = static_cast<size_t>(std::max(3.0, width / 6.4));
        if (text.size() <= most) return text;
        size_t end = most - 1;
        while (end > 0 && (text[end] & 0xc0) == 0x80) --end; /* not inside a character */
        return text.substr(0, end) + "\xe2\x80\xa6";
    }

    std::string first_link(uint32_t vertex) const {
        const std::vector<uint32_t>& links = model_.vertices[vertex].links;
        return links.empty() ? "no link is known" : model_.class_of(links[0]).summary();
    }

    /* Fabric links, and those into networks, between things that have a box with a name. */
    void draw_arcs(std::string& out) const {
        if (is_square()) return;
        std::set<std::pair<uint32_t, uint32_t>> drawn;
        for (const TopoLink& link : model_.links) {
            const bool is_fabric = link.kind != QIAO_LINK_KIND_PCIE && link.kind != QIAO_LINK_KIND_INTERNAL && link.kind != QIAO_LINK_KIND_MEMORY && link.kind != QIAO_LINK_KIND_CXL;
            if (!is_fabric || !drawn.insert(std::minmax(link.source, link.target)).second) continue;
            const Place &a = places_[link.source], &b = places_[link.target];
            if (a.width == 0 || b.width == 0) continue;
            const double x1 = a.x + a.width / 2, y1 = a.y + (is_leaf_kind(model_.vertices[link.source].kind) ? a.height / 2 : 8), x2 = b.x + b.width / 2, y2 = b.y + (is_leaf_kind(model_.vertices[link.target].kind) ? b.height / 2 : 8);
            const double bend = std::min(60.0, 12 + std::hypot(x2 - x1, y2 - y1) / 6);
            out += "<path d=\"M" + number(x1) + ' ' + number(y1) + " Q" + number((x1 + x2) / 2 + bend) + ' ' + number((y1 + y2) / 2 - bend) + ' ' + number(x2) + ' ' + number(y2) + "\" fill=\"none\" stroke=\"" +
                   colour_of_state(model_.classes[link.link_class].state()) + "\" stroke-width=\"1.4\" stroke-opacity=\"0.55\"><title>" + escaped(model_.vertices[link.source].label + " - " + model_.vertices[link.target].label + ": " + model_.classes[link.link_class].summary()) + "</title></path>\n";
        }
    }

    static void draw_legend(double y, std::string& out) {
        double x = 20;
        for (const auto& [state, what] : {std::pair(uint64_t{QIAO_LINK_STATE_UP}, "up"), {uint64_t{QIAO_LINK_STATE_DEGRADED}, "degraded"}, {uint64_t{QIAO_LINK_STATE_TRAINING}, "training"},
                                          {uint64_t{QIAO_LINK_STATE_DOWN}, "down"}, {uint64_t{0}, "unknown"}}) {
            out += "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"12\" height=\"12\" rx=\"2\" fill=\"" + colour_of_state(state) + "\"/>\n" + write(x + 18, y + 10, what);
            x += 100;
        }
    }

    struct Place {
        double x = 0, y = 0, width = 0, height = 0;
    };
    const TopoModel& model_;
    const size_t cards_;
    const ptrdiff_t leaves_;
    std::vector<Place> places_;
    std::vector<std::vector<uint32_t>> inside_;
    std::vector<uint32_t> roots_;
};

} // namespace

std::string topo_svg(const TopoModel& model) {
    return Picture(model).text();
}

} // namespace qiao::cli
