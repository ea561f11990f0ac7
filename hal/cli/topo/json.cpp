/* One object a vertex, one a link; what is known of links stands once for all links of which the same is known. */
#include <nlohmann/json.hpp>

#include "cli/topo/forms.h"

namespace qiao::cli {
namespace {

using Json = nlohmann::ordered_json;

Json listed_name(qiao_topology_list list, uint32_t number) {
    const char* name = qiao_topology_get_name(list, number);
    return name == nullptr ? Json(number) : Json(name);
}

std::string hexadecimal(uint32_t number) {
    char text[16];
    std::snprintf(text, sizeof text, "0x%04x", number);
    return text;
}

Json vertex_json(const TopoModel& model, const TopoVertex& vertex) {
    Json json = {{"id", vertex.id}, {"kind", listed_name(QIAO_TOPOLOGY_LIST_VERTEX_KIND, vertex.kind)}, {"provider", listed_name(QIAO_TOPOLOGY_LIST_PROVIDER, vertex.provider)}};
    if (*vertex.name != '\0') json["name"] = vertex.name;
    if (vertex.device != nullptr) json["device"] = vertex.label;
    if (vertex.parent != kNoVertex) json["parent"] = model.vertices[vertex.parent].id;
    if (vertex.os_index != kNoVertex) json["os_index"] = vertex.os_index;
    if (*vertex.cpus != '\0') json["cpus"] = vertex.cpus;
    if (vertex.memory_bytes != QIAO_UNKNOWN) json["memory_bytes"] = vertex.memory_bytes;
    if (vertex.pci_vendor_id != 0) json["pci"] = {{"vendor", hexadecimal(vertex.pci_vendor_id)}, {"device", hexadecimal(vertex.pci_device_id)}};
    if ((vertex.flags & QIAO_TOPOLOGY_MODELLED) != 0) json["modelled"] = true;
    return json;
}

Json claim_json(const qiao_link_claim& claim) {
    Json json = {{"value", claim.attribute == QIAO_LINK_ATTRIBUTE_STATE ? listed_name(QIAO_TOPOLOGY_LIST_STATE, static_cast<uint32_t>(claim.value)) : Json(claim.value)}};
    const char* unit = qiao_topology_get_name(QIAO_TOPOLOGY_LIST_UNIT, claim.attribute);
    if (unit != nullptr && *unit != '\0') json["unit"] = unit;
    json["provider"] = listed_name(QIAO_TOPOLOGY_LIST_PROVIDER, claim.provider);
    if (claim.grade != 0) json["grade"] = listed_name(QIAO_TOPOLOGY_LIST_GRADE, claim.grade);
    return json;
}

Json class_json(const TopoClass& link_class) {
    Json attributes = Json::object();
    for (const qiao_link_claim& claim : link_class.claims) {
        const std::string name = qiao_topology_get_name(QIAO_TOPOLOGY_LIST_ATTRIBUTE, claim.attribute);
        if (!attributes.contains(name)) {
            attributes[name] = claim_json(claim);
            continue;
        }
        Json& first = attributes[name];
        first["others"].push_back(claim_json(claim));
        if ((link_class.conflicts >> claim.attribute & 1) != 0) first["conflict"] = true;
    }
    Json json = {{"kind", listed_name(QIAO_TOPOLOGY_LIST_LINK_KIND, link_class.kind)}, {"attributes", attributes}};
    if ((link_class.flags & QIAO_TOPOLOGY_MODELLED) != 0) json["modelled"] = true;
    return json;
}

} // namespace

Json topo_json(const TopoModel& model) {
    Json json = {{"schema", "qiao.topo/1"}, {"providers", Json::array()}, {"notes", model.notes}, {"vertices", Json::array()}, {"link_classes", Json::array()}, {"links", Json::array()}};
    for (const qiao_topology_provider& provider : model.providers) {
        json["providers"].push_back({{"name", listed_name(QIAO_TOPOLOGY_LIST_PROVIDER, provider.provider)},
                                     {"state", listed_name(QIAO_TOPOLOGY_LIST_PROVIDER_STATE, provider.state)},
                                     {"vertices", provider.vertex_count},
                                     {"claims", provider.claim_count},
                                     {"text", provider.text}});
    }
    for (const TopoVertex& vertex : model.vertices)
        json["vertices"].push_back(vertex_json(model, vertex));
    for (const TopoClass& link_class : model.classes)
        json["link_classes"].push_back(class_json(link_class));
    for (const TopoLink& link : model.links)
        json["links"].push_back({{"source", model.vertices[link.source].id}, {"target", model.vertices[link.target].id}, {"class", link.link_class}});
    return json;
}

} // namespace qiao::cli
