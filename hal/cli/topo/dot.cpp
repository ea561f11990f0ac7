/* For Graphviz. A pair of links of one kind is one edge; groups are clusters. */
#include <set>

#include "cli/topo/forms.h"

namespace qiao::cli {
namespace {

/* In double quotes DOT knows two escapes; control characters are shown as '?'. */
std::string dot_text(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        result += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
    return result + '"';
}

const char* shape_of(qiao_vertex_kind kind) {
    switch (kind) {
        case QIAO_VERTEX_KIND_CARD:
        case QIAO_VERTEX_KIND_PARTITION: return "box3d";
        case QIAO_VERTEX_KIND_SWITCH: return "diamond";
        case QIAO_VERTEX_KIND_PORT: return "cds";
        case QIAO_VERTEX_KIND_BRIDGE: return "trapezium";
        case QIAO_VERTEX_KIND_PACKAGE: return "component";
        default: return "box";
    }
}

void add_vertex(const TopoModel& model, uint32_t index, const std::string& indent, std::string& text) {
    const TopoVertex& vertex = model.vertices[index];
    if (vertex.kind != QIAO_VERTEX_KIND_GROUP) {
        std::string label = vertex.label;
        if (*vertex.name != '\0') label += std::string(" - ") + vertex.name;
        text += indent + dot_text(vertex.id) + " [label=" + dot_text(label) + ", shape=" + shape_of(vertex.kind) + "];\n";
        for (const uint32_t child : vertex.children)
            add_vertex(model, child, indent, text);
        return;
    }
    text += indent + "subgraph " + dot_text(std::string("cluster ") + vertex.id) + " {\n" + indent + "  label=" + dot_text(*vertex.name != '\0' ? vertex.name : vertex.id) + ";\n";
    for (const uint32_t child : vertex.children)
        add_vertex(model, child, indent + "  ", text);
    text += indent + "}\n";
}

} // namespace

std::string topo_dot(const TopoModel& model) {
    std::string text = "graph topology {\n  layout=fdp;\n  overlap=false;\n  splines=true;\n  node [fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=9];\n";
    for (uint32_t index = 0; index < model.vertices.size(); ++index) {
        if (model.vertices[index].parent == kNoVertex) add_vertex(model, index, "  ", text);
    }
    std::set<std::pair<std::pair<uint32_t, uint32_t>, qiao_link_kind>> drawn;
    for (const TopoLink& link : model.links) {
        if (!drawn.insert({std::minmax(link.source, link.target), link.kind}).second) continue;
        const TopoClass& link_class = model.classes[link.link_class];
        const uint64_t state = link_class.state();
        const char* style = state == QIAO_LINK_STATE_DOWN || state == QIAO_LINK_STATE_DISABLED ? ", style=dashed, color=red" : state == QIAO_LINK_STATE_DEGRADED ? ", color=orange, penwidth=2" : "";
        text += "  " + dot_text(model.vertices[link.source].id) + " -- " + dot_text(model.vertices[link.target].id) + " [label=" + dot_text(link_class.summary()) + style + "];\n";
    }
    return text + "}\n";
}

} // namespace qiao::cli
