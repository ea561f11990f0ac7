/* A vertex hangs on what contains it, else on the bridge, switch or NUMA node that its first link leads up to. Branches that differ by their
 * numbers only are shown once. */
#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>

#include "cli/table.h"
#include "cli/terminal.h"
#include "cli/topo/forms.h"

namespace qiao::cli {
namespace {

class TreeText {
  public:
    explicit TreeText(const TopoModel& model) : model_(model), children_(model.vertices.size()), link_up_(model.vertices.size(), kNoVertex) {
        for (uint32_t index = 0; index < model.vertices.size(); ++index) {
            const uint32_t above = above_of(index);
            (above == kNoVertex ? roots_ : children_[above]).push_back(index);
        }
    }

    std::string text() {
        std::string all;
        add_branches(roots_, "", all);
        return all;
    }

  private:
    uint32_t above_of(uint32_t index) {
        const TopoVertex& vertex = model_.vertices[index];
        for (const uint32_t link : vertex.links) {
            const uint32_t target = model_.links[link].target;
            const qiao_vertex_kind kind = model_.vertices[target].kind;
            const qiao_link_kind link_kind = model_.class_of(link).kind;
            const bool is_up = target == vertex.parent || kind == QIAO_VERTEX_KIND_BRIDGE || kind == QIAO_VERTEX_KIND_NUMA_NODE ||
                               (kind == QIAO_VERTEX_KIND_SWITCH && (link_kind == QIAO_LINK_KIND_PCIE || link_kind == QIAO_LINK_KIND_CXL));
            /* What something hangs on was placed before it: so there are no circles. */
            if (!is_up || target >= index || vertex.kind == QIAO_VERTEX_KIND_NUMA_NODE) continue;
            link_up_[index] = link;
            if (vertex.parent == kNoVertex) return target;
            break;
        }
        return vertex.parent < index ? vertex.parent : kNoVertex;
    }

    std::string line(uint32_t index) const {
        const TopoVertex& vertex = model_.vertices[index];
        std::string text = vertex.kind == QIAO_VERTEX_KIND_GROUP && *vertex.name != '\0' ? "" : coloured(Colour::Title, printable(vertex.label));
        if (vertex.label != vertex.id) text += " = " + printable(vertex.id);
        if (*vertex.name != '\0') text += (text.empty() ? "" : "  ") + printable(vertex.name);
        return text + details(index);
    }

    /* Without what tells it from its like. */
    std::string details(uint32_t index) const {
        const TopoVertex& vertex = model_.vertices[index];
        std::string text;
        if (vertex.memory_bytes != QIAO_UNKNOWN) text += "  " + bytes_text(vertex.memory_bytes);
        if (*vertex.cpus != '\0') text += "  CPUs " + printable(vertex.cpus);
        if (link_up_[index] != kNoVertex && model_.class_of(link_up_[index]).kind != QIAO_LINK_KIND_INTERNAL) text += "  [" + model_.class_of(link_up_[index]).summary() + "]";
        for (const auto& [what, count] : other_links(index))
            text += "  [" + std::to_string(count) + " x " + what + "]";
        return text;
    }

    /* Links that are no branch of the tree, by what they are and lead to. */
    std::map<std::string, size_t> other_links(uint32_t index) const {
        std::map<std::string, size_t> counts;
        const TopoVertex& vertex = model_.vertices[index];
        if (vertex.kind != QIAO_VERTEX_KIND_CARD && vertex.kind != QIAO_VERTEX_KIND_PORT && vertex.kind != QIAO_VERTEX_KIND_PARTITION) return counts;
        for (const uint32_t link : vertex.links) {
            if (link == link_up_[index]) continue;
            const char* kind = qiao_topology_get_name(QIAO_TOPOLOGY_LIST_VERTEX_KIND, model_.vertices[model_.links[link].target].kind);
            ++counts[model_.class_of(link).summary() + " to " + kind];
        }
        return counts;
    }

    std::string shape(uint32_t index) const {
        std::string text = '(' + std::to_string(model_.vertices[index].kind);
        std::copy_if(model_.vertices[index].name, model_.vertices[index].name + std::strlen(model_.vertices[index].name), std::back_inserter(text), [](char c) { return c < '0' || c > '9'; });
        text += details(index);
        for (const uint32_t child : children_[index])
            text += shape(child);
        return text + ')';
    }

    void add_branches(const std::vector<uint32_t>& branches, const std::string& indent, std::string& all) const {
        for (size_t at = 0; at < branches.size();) {
            size_t alike = 1;
            const bool may_fold = indent.size() < 40 && branches.size() > 2;
            const std::string first = may_fold ? shape(branches[at]) : "";
            while (may_fold && at + alike < branches.size() && shape(branches[at + alike]) == first) ++alike;
            const bool folds = alike > 2;
            const size_t shown = folds ? 1 : alike;
            for (size_t each = at; each < at + shown; ++each) {
                all += indent + line(branches[each]) + (folds ? coloured(Colour::Quiet, "  (" + std::to_string(alike) + " alike, to " + last_name(branches[at + alike - 1]) + ")") : "") + '\n';
                add_branches(children_[branches[each]], indent + "  ", all);
            }
            at += alike;
        }
    }

    std::string last_name(uint32_t index) const {
        const TopoVertex& vertex = model_.vertices[index];
        return printable(vertex.kind == QIAO_VERTEX_KIND_GROUP && *vertex.name != '\0' ? vertex.name : vertex.label.c_str());
    }

    const TopoModel& model_;
    std::vector<std::vector<uint32_t>> children_;
    std::vector<uint32_t> roots_;
    std::vector<uint32_t> link_up_; /* that it hangs by */
};

} // namespace

std::string topo_tree(const TopoModel& model) {
    if (model.vertices.empty()) return "Nothing is known of this machine.\n";
    return TreeText(model).text();
}

} // namespace qiao::cli
