// How the profile's cards hang together, as the core takes it. All of it is a model's, and every figure says what it rests on.
#include <array>

#include "device.h"

namespace qiao::mock_plugin {
namespace {

constexpr std::array kVertexKinds = {QIAO_VERTEX_KIND_NUMA_NODE, QIAO_VERTEX_KIND_PACKAGE, QIAO_VERTEX_KIND_SWITCH,
                                     QIAO_VERTEX_KIND_PORT,      QIAO_VERTEX_KIND_CARD,    QIAO_VERTEX_KIND_GROUP};
constexpr std::array kLinkKinds = {QIAO_LINK_KIND_PCIE,   QIAO_LINK_KIND_CXL,    QIAO_LINK_KIND_XGMI,    QIAO_LINK_KIND_HSL,    QIAO_LINK_KIND_UB,
                                   QIAO_LINK_KIND_NVLINK, QIAO_LINK_KIND_UALINK, QIAO_LINK_KIND_NETWORK, QIAO_LINK_KIND_MEMORY, QIAO_LINK_KIND_INTERNAL};
constexpr std::array kAttributes = {QIAO_LINK_ATTRIBUTE_BANDWIDTH,  QIAO_LINK_ATTRIBUTE_LATENCY, QIAO_LINK_ATTRIBUTE_LANES,     QIAO_LINK_ATTRIBUTE_RATE,
                                    QIAO_LINK_ATTRIBUTE_GENERATION, QIAO_LINK_ATTRIBUTE_HOPS,    QIAO_LINK_ATTRIBUTE_COHERENCE, QIAO_LINK_ATTRIBUTE_SEMANTICS};

template <class Enum, class Table>
uint32_t translate(Enum value, const Table& table) {
    return table[static_cast<size_t>(value)];
}

qiao_status describe_vertices(const mock::ExpandedTopology& topology, const qiao_plugin_link_sink& sink, std::vector<uint32_t>& out_numbers) {
    for (const mock::ExpandedTopology::Vertex& vertex : topology.vertices) {
        const std::string id = QIAO_PLUGIN_ID "/" + vertex.path;
        const bool is_card = vertex.kind == mock::PartKind::kCard;
        const bool is_counted = vertex.kind == mock::PartKind::kNuma || vertex.kind == mock::PartKind::kPackage;
        qiao_plugin_vertex told = {};
        told.struct_size = sizeof told;
        told.id = is_card ? nullptr : id.c_str();
        told.name = vertex.name.c_str();
        told.kind = translate(vertex.kind, kVertexKinds);
        told.device = is_card ? vertex.number : UINT32_MAX;
        told.parent = vertex.parent == mock::ExpandedTopology::kNone ? UINT32_MAX : out_numbers[vertex.parent];
        told.os_index = is_counted ? vertex.number : UINT32_MAX;
        told.memory_bytes = QIAO_UNKNOWN;
        told.flags = QIAO_TOPOLOGY_MODELLED;
        uint32_t number = 0;
        if (const qiao_status status = sink.add_vertex(sink.sink, &told, &number); status != QIAO_OK) return status;
        out_numbers.push_back(number);
    }
    return QIAO_OK;
}

qiao_status describe_rules(const mock::ExpandedTopology& topology, const qiao_plugin_link_sink& sink, std::vector<uint32_t>& out_classes) {
    for (const mock::TopologyLink* rule : topology.rules) {
        std::vector<qiao_link_claim> claims;
        for (const auto& [figure, number] : rule->figures)
            claims.push_back({translate(figure, kAttributes), 0, number.value, static_cast<qiao_grade>(number.grade) + QIAO_GRADE_VERIFIED, 0});
        claims.push_back({QIAO_LINK_ATTRIBUTE_STATE, 0, QIAO_LINK_STATE_UP, QIAO_GRADE_ASSUMED, 0});
        uint32_t number = 0;
        const qiao_status status =
            sink.add_class(sink.sink, translate(rule->kind, kLinkKinds), QIAO_TOPOLOGY_MODELLED, claims.data(), static_cast<uint32_t>(claims.size()), &number);
        if (status != QIAO_OK) return status;
        out_classes.push_back(number);
    }
    return QIAO_OK;
}

qiao_status link_describe(void* pointer, const qiao_plugin_link_sink* sink) {
    Plugin& plugin = plugin::object<Plugin>(pointer);
    return plugin::guarded(plugin.host, "link_describe", [&]() -> qiao_status {
        const mock::Topology* topology = nullptr;
        {
            const std::lock_guard lock(plugin.mutex);
            if (plugin.machine != nullptr) topology = plugin.machine->topology();
        }
        if (topology == nullptr) return QIAO_OK;
        const mock::ExpandedTopology expanded = topology->expand();
        std::vector<uint32_t> vertices, classes;
        if (const qiao_status status = describe_vertices(expanded, *sink, vertices); status != QIAO_OK) return status;
        if (const qiao_status status = describe_rules(expanded, *sink, classes); status != QIAO_OK) return status;
        for (const mock::ExpandedTopology::Link& link : expanded.links) {
            for (const auto& [from, to] : {std::pair(link.source, link.target), std::pair(link.target, link.source)}) {
                const qiao_status status = sink->add_link(sink->sink, vertices[from], vertices[to], classes[link.rule]);
                if (status != QIAO_OK) return status;
            }
        }
        return QIAO_OK;
    });
}

} // namespace

const qiao_plugin_link_ops mock_link_ops = {sizeof(qiao_plugin_link_ops), link_describe};

} // namespace qiao::mock_plugin
