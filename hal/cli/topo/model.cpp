/* Everything through the public interface; nothing here knows where it came from. */
#include "cli/topo/model.h"

#include <algorithm>
#include <cstdio>

#include "cli/table.h"

namespace qiao::cli {
namespace {

std::string name_in_list(qiao_topology_list list, uint32_t number) {
    const char* name = qiao_topology_get_name(list, number);
    return name == nullptr ? std::to_string(number) : name;
}

void read_vertices(TopoModel& model, uint32_t count) {
    model.vertices.resize(count);
    for (uint32_t index = 0; index < count; ++index) {
        TopoVertex& vertex = model.vertices[index];
        check(qiao_topology_query_vertex(model.handle.get(), index, &vertex), "reading a vertex");
        vertex.label = vertex.id;
        qiao_device_properties properties = QIAO_DEVICE_PROPERTIES_INIT;
        if (vertex.device != nullptr && qiao_device_query_properties(vertex.device, &properties) == QIAO_OK) vertex.label = properties.id;
    }
    for (uint32_t index = 0; index < count; ++index) {
        if (model.vertices[index].parent < count) model.vertices[model.vertices[index].parent].children.push_back(index);
    }
}

void read_links(TopoModel& model, uint32_t count, uint32_t class_count) {
    model.links.resize(count);
    model.classes.resize(class_count);
    std::vector<bool> is_read(class_count);
    for (uint32_t index = 0; index < count; ++index) {
        TopoLink& link = model.links[index];
        check(qiao_topology_query_link(model.handle.get(), index, &link), "reading a link");
        model.vertices[link.source].links.push_back(index);
        if (is_read[link.link_class]) continue;
        is_read[link.link_class] = true;
        TopoClass& link_class = model.classes[link.link_class];
        link_class.kind = link.kind;
        link_class.flags = link.flags;
        link_class.conflicts = link.conflicts;
        link_class.claims.resize(link.claim_count);
        for (uint32_t claim = 0; claim < link.claim_count; ++claim)
            check(qiao_topology_query_claim(model.handle.get(), index, claim, &link_class.claims[claim]), "reading a claim");
    }
}

} // namespace

uint64_t TopoClass::value(qiao_link_attribute attribute) const {
    for (const qiao_link_claim& claim : claims) {
        if (claim.attribute == attribute) return claim.value;
    }
    return QIAO_UNKNOWN;
}

std::string TopoClass::title() const {
    std::string title = name_in_list(QIAO_TOPOLOGY_LIST_LINK_KIND, kind);
    const uint64_t generation = value(QIAO_LINK_ATTRIBUTE_GENERATION), lanes = value(QIAO_LINK_ATTRIBUTE_LANES), most = value(QIAO_LINK_ATTRIBUTE_LANES_MAX);
    if (generation != QIAO_UNKNOWN) title += ' ' + std::to_string(generation);
    if (lanes != QIAO_UNKNOWN) title += " x" + std::to_string(lanes);
    if (lanes != QIAO_UNKNOWN && most != QIAO_UNKNOWN && lanes < most) title += " of x" + std::to_string(most);
    return title;
}

std::string TopoClass::summary() const {
    std::string text = title();
    if (const uint64_t bandwidth = value(QIAO_LINK_ATTRIBUTE_BANDWIDTH); bandwidth != QIAO_UNKNOWN) text += ", " + rate_text(bandwidth);
    if (const uint64_t latency = value(QIAO_LINK_ATTRIBUTE_LATENCY); latency != QIAO_UNKNOWN) text += ", " + time_text(static_cast<double>(latency));
    if (state() != QIAO_UNKNOWN && state() != QIAO_LINK_STATE_UP) text += ", " + name_in_list(QIAO_TOPOLOGY_LIST_STATE, static_cast<uint32_t>(state()));
    if (errors() != 0) text += ", " + std::to_string(errors()) + " errors";
    if (conflicts != 0) text += ", evidence conflicts";
    return text;
}

uint64_t TopoClass::errors() const {
    const auto sum = [this](std::initializer_list<qiao_link_attribute> counters) {
        uint64_t all = 0;
        for (const qiao_link_attribute counter : counters) {
            if (const uint64_t count = value(counter); count != QIAO_UNKNOWN) all += count;
        }
        return all;
    };
    return std::max(sum({QIAO_LINK_ATTRIBUTE_ERRORS_CORRECTABLE, QIAO_LINK_ATTRIBUTE_ERRORS_NONFATAL, QIAO_LINK_ATTRIBUTE_ERRORS_FATAL, QIAO_LINK_ATTRIBUTE_ERRORS_RECOVERY}),
                    sum({QIAO_LINK_ATTRIBUTE_PARTNER_ERRORS_CORRECTABLE, QIAO_LINK_ATTRIBUTE_PARTNER_ERRORS_NONFATAL, QIAO_LINK_ATTRIBUTE_PARTNER_ERRORS_FATAL}));
}

TopoPath TopoModel::path(uint32_t source, uint32_t target) const {
    TopoPath found;
    found.links.resize(16);
    check(qiao_topology_query_path(handle.get(), source, target, static_cast<uint32_t>(found.links.size()), found.links.data(), &found), "looking for a path");
    if (found.link_count > found.links.size()) {
        found.links.resize(found.link_count);
        check(qiao_topology_query_path(handle.get(), source, target, found.link_count, found.links.data(), &found), "looking for a path");
    }
    found.links.resize(found.link_count);
    return found;
}

std::vector<uint32_t> TopoModel::nearest(uint32_t source, qiao_vertex_kind kind) const {
    uint32_t count = 0;
    check(qiao_topology_query_nearest(handle.get(), source, kind, 0, nullptr, &count), "looking for what is near");
    std::vector<uint32_t> found(count);
    check(qiao_topology_query_nearest(handle.get(), source, kind, count, found.data(), &count), "looking for what is near");
    return found;
}

std::vector<uint32_t> TopoModel::of_kind(qiao_vertex_kind kind) const {
    std::vector<uint32_t> found;
    for (uint32_t index = 0; index < vertices.size(); ++index) {
        if (vertices[index].kind == kind) found.push_back(index);
    }
    return found;
}

std::vector<uint32_t> TopoModel::containers(uint32_t vertex) const {
    std::vector<uint32_t> found;
    for (uint32_t at = vertices[vertex].parent; at < vertices.size() && found.size() < 64; at = vertices[at].parent)
        found.insert(found.begin(), at);
    return found;
}

uint64_t TopoModel::worst_state(uint32_t vertex) const {
    uint64_t worst = 0;
    for (const uint32_t link : vertices[vertex].links) {
        if (const uint64_t state = class_of(link).state(); state != QIAO_UNKNOWN) worst = std::max(worst, state);
    }
    return worst;
}

TopoModel read_topology(qiao_instance* instance, const TopoRequest& request) {
    qiao_topology_desc desc = QIAO_TOPOLOGY_DESC_INIT;
    desc.sysfs_root = request.sysfs_root.empty() ? nullptr : request.sysfs_root.c_str();
    desc.providers = request.providers;
    qiao_topology* made = nullptr;
    check(qiao_topology_create(instance, &desc, &made), "reading the topology");
    TopoModel model;
    model.handle.reset(made);
    qiao_topology_properties properties = QIAO_TOPOLOGY_PROPERTIES_INIT;
    check(qiao_topology_query(made, &properties), "reading the topology");
    read_vertices(model, properties.vertex_count);
    read_links(model, properties.link_count, properties.class_count);
    for (uint32_t index = 0; index < properties.provider_count; ++index) {
        qiao_topology_provider provider = QIAO_TOPOLOGY_PROVIDER_INIT;
        check(qiao_topology_query_provider(made, index, &provider), "reading the providers");
        model.providers.push_back(provider);
    }
    for (uint32_t index = 0; index < properties.note_count; ++index) {
        const char* text = nullptr;
        check(qiao_topology_query_note(made, index, &text), "reading the notes");
        model.notes.emplace_back(text);
    }
    return model;
}

std::string path_label(const TopoModel& model, const TopoPath& path) {
    const auto kind = [&] { return name_in_list(QIAO_TOPOLOGY_LIST_LINK_KIND, model.class_of(path.links.at(0)).kind); };
    switch (path.distance) {
        case QIAO_DISTANCE_SAME: return "X";
        case QIAO_DISTANCE_DIRECT: return kind();
        case QIAO_DISTANCE_FABRIC: return kind() + "-SW";
        case QIAO_DISTANCE_PCIE_SWITCH: return "PIX";
        case QIAO_DISTANCE_PCIE_SWITCHES: return "PXB";
        case QIAO_DISTANCE_HOST_BRIDGE: return "PHB";
        case QIAO_DISTANCE_NUMA_NODE: return "NODE";
        case QIAO_DISTANCE_SYSTEM: return "SYS";
        case QIAO_DISTANCE_NETWORK: return "NET";
        default: return "-";
    }
}

std::string rate_text(uint64_t bytes_per_s) {
    constexpr const char* kUnits[] = {"B/s", "kB/s", "MB/s", "GB/s", "TB/s", "PB/s"};
    auto value = static_cast<double>(bytes_per_s);
    size_t unit = 0;
    for (; value >= 999.5 && unit + 1 < std::size(kUnits); ++unit)
        value /= 1000;
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%.*f %s", value < 99.95 && unit > 0 ? 1 : 0, value, kUnits[unit]);
    return buffer;
}

} // namespace qiao::cli
