#include "api/link_plugins.h"

#include <cstdio>
#include <cstring>

#include "api/entry.h"
#include "object/device.h"
#include "topology/names.h"

namespace qiao {

using topology::Graph;
using topology::kNone;

namespace {

constexpr size_t kMostText = 128;
constexpr uint32_t kMostClaims = 64;

std::string pci_address(const qiao_plugin_device_info& info) {
    char text[40];
    std::snprintf(text, sizeof text, "%04x:%02x:%02x.%x", info.pci_domain, info.pci_bus, info.pci_device, info.pci_function);
    return text;
}

bool is_on_pci(const qiao_plugin_device_info& info) {
    return info.pci_vendor_id != 0;
}

// What one plugin tells, on its way into the graph. Texts and numbers are the plugin's, so all of them are looked at.
class PluginSink {
public:
    PluginSink(Graph& graph, const Instance& instance, const Device& first) : graph_(graph), instance_(instance), plugin_(first.plugin_id) {
        for (uint32_t index = 0; index < instance.devices.size(); ++index) {
            const Device& device = instance.devices[index]->body;
            if (device.plugin == first.plugin) devices_.emplace(device.index, index);
        }
    }

    qiao_plugin_link_sink table() { return {sizeof(qiao_plugin_link_sink), this, add_vertex, add_class, add_link}; }

private:
    static PluginSink& self(void* sink) { return *static_cast<PluginSink*>(sink); }

    qiao_status refuse(qiao_status status, const std::string& what) {
        graph_.note("plugin " + plugin_ + ": " + what + ": it is left out");
        return status;
    }

    static qiao_status add_vertex(void* sink, const qiao_plugin_vertex* vertex, uint32_t* out_vertex) noexcept {
        return entry([&]() -> qiao_status { return self(sink).take_vertex(*vertex, *out_vertex); });
    }
    static qiao_status add_class(void* sink, qiao_link_kind kind, uint64_t flags, const qiao_link_claim* claims, uint32_t claim_count, uint32_t* out_class) noexcept {
        return entry([&]() -> qiao_status { return self(sink).take_class(kind, flags, claims, claim_count, *out_class); });
    }
    static qiao_status add_link(void* sink, uint32_t source, uint32_t target, uint32_t link_class) noexcept {
        return entry([&]() -> qiao_status { return self(sink).take_link(source, target, link_class); });
    }

    qiao_status take_vertex(const qiao_plugin_vertex& given, uint32_t& out_vertex) {
        out_vertex = kNone;
        qiao_plugin_vertex vertex{};
        vertex.device = vertex.parent = vertex.os_index = UINT32_MAX;
        vertex.memory_bytes = QIAO_UNKNOWN;
        std::memcpy(&vertex, &given, std::min(given.struct_size, sizeof vertex));
        const auto device = devices_.find(vertex.device);
        if (vertex.device != UINT32_MAX && device == devices_.end()) return take_hidden(vertex, out_vertex);
        const bool is_device = vertex.device != UINT32_MAX;
        if (topology::name_of(QIAO_TOPOLOGY_LIST_VERTEX_KIND, vertex.kind) == nullptr) return refuse(QIAO_ERROR_INVALID_ARGUMENT, "a vertex is of kind " + std::to_string(vertex.kind) + ", which there is not");
        if (vertex.id == nullptr && !is_device) return refuse(QIAO_ERROR_INVALID_ARGUMENT, "a vertex that is no device has no id");
        const std::string_view id = vertex.id == nullptr ? std::string_view() : std::string_view(vertex.id, strnlen(vertex.id, kMostText + 1));
        const std::string_view name = vertex.name == nullptr ? std::string_view() : std::string_view(vertex.name, strnlen(vertex.name, kMostText));
        if (id.size() > kMostText) return refuse(QIAO_ERROR_OUT_OF_RANGE, "the id of a vertex has more than " + std::to_string(kMostText) + " bytes");
        if (vertex.parent != UINT32_MAX && vertex.parent >= vertices_.size()) return refuse(QIAO_ERROR_OUT_OF_RANGE, "a vertex is in vertex " + std::to_string(vertex.parent) + ", which there is not");
        const uint32_t index = graph_.add_vertex({.id = id.empty() ? std::string_view(instance_.devices[device->second]->body.id) : id,
                                                  .name = name,
                                                  .kind = vertex.kind,
                                                  .provider = QIAO_TOPOLOGY_PROVIDER_PLUGIN,
                                                  .parent = vertex.parent == UINT32_MAX ? kNone : vertices_[vertex.parent],
                                                  .os_index = vertex.os_index,
                                                  .flags = vertex.flags & QIAO_TOPOLOGY_MODELLED,
                                                  .memory_bytes = vertex.memory_bytes});
        if (index == kNone) return QIAO_ERROR_OUT_OF_RANGE;
        if (is_device) graph_.set_device(index, device->second);
        out_vertex = static_cast<uint32_t>(vertices_.size());
        vertices_.push_back(index);
        return QIAO_OK;
    }

    // A device that the application does not see: what it hangs on is told all the same, and it is not shown.
    qiao_status take_hidden(const qiao_plugin_vertex&, uint32_t& out_vertex) {
        out_vertex = static_cast<uint32_t>(vertices_.size());
        vertices_.push_back(kNone);
        return QIAO_OK;
    }

    qiao_status take_class(qiao_link_kind kind, uint64_t flags, const qiao_link_claim* given, uint32_t count, uint32_t& out_class) {
        out_class = 0;
        if (topology::name_of(QIAO_TOPOLOGY_LIST_LINK_KIND, kind) == nullptr) return refuse(QIAO_ERROR_INVALID_ARGUMENT, "a link is of kind " + std::to_string(kind) + ", which there is not");
        if (count > kMostClaims) return refuse(QIAO_ERROR_OUT_OF_RANGE, std::to_string(count) + " claims about a link are more than " + std::to_string(kMostClaims));
        std::vector<qiao_link_claim> claims(given, given + count);
        for (qiao_link_claim& claim : claims) {
            if (topology::name_of(QIAO_TOPOLOGY_LIST_ATTRIBUTE, claim.attribute) == nullptr || claim.grade > QIAO_GRADE_ASSUMED)
                return refuse(QIAO_ERROR_INVALID_ARGUMENT, "a claim is about attribute " + std::to_string(claim.attribute) + " with grade " + std::to_string(claim.grade) + ", which there is not");
            claim.provider = QIAO_TOPOLOGY_PROVIDER_PLUGIN;
            claim.reserved0 = 0;
        }
        const uint32_t link_class = graph_.add_class(kind, flags & QIAO_TOPOLOGY_MODELLED, claims);
        out_class = static_cast<uint32_t>(classes_.size());
        classes_.push_back(link_class);
        return QIAO_OK;
    }

    qiao_status take_link(uint32_t source, uint32_t target, uint32_t link_class) {
        if (source >= vertices_.size() || target >= vertices_.size() || link_class >= classes_.size())
            return refuse(QIAO_ERROR_OUT_OF_RANGE, "a link from vertex " + std::to_string(source) + " to " + std::to_string(target) + " of class " + std::to_string(link_class) + " names something that there is not");
        if (source == target) return refuse(QIAO_ERROR_INVALID_ARGUMENT, "a link leads from vertex " + std::to_string(source) + " to itself");
        if (vertices_[source] == kNone || vertices_[target] == kNone) return QIAO_OK;
        return graph_.add_link(vertices_[source], vertices_[target], classes_[link_class]) ? QIAO_OK : static_cast<qiao_status>(QIAO_ERROR_OUT_OF_RANGE);
    }

    Graph& graph_;
    const Instance& instance_;
    const std::string plugin_;
    std::unordered_map<uint32_t, uint32_t> devices_;  // by the plugin's number: that in the instance
    std::vector<uint32_t> vertices_, classes_;        // by the plugin's numbers: those of the graph
};

// Devices that nobody has placed yet are at least there. One that says that it shares the host's memory is as near as its nodes.
void place_device(Graph& graph, const Device& device, uint32_t index) {
    const qiao_plugin_device_info& info = device.info;
    uint32_t vertex = graph.find(device.id);
    if (vertex == kNone) {
        const std::string id = is_on_pci(info) ? "pci:" + pci_address(info) : device.id;
        vertex = graph.add_vertex({.id = id,
                                   .name = info.name,
                                   .provider = QIAO_TOPOLOGY_PROVIDER_PLUGIN,
                                   .flags = (info.flags & QIAO_PLUGIN_DEVICE_SIMULATED) != 0 ? QIAO_TOPOLOGY_MODELLED : 0,
                                   .memory_bytes = info.memory_bytes != 0 ? info.memory_bytes : QIAO_UNKNOWN,
                                   .pci_vendor_id = info.pci_vendor_id,
                                   .pci_device_id = info.pci_device_id});
        if (vertex == kNone) return;
        graph.add_alias(device.id, vertex);
    }
    graph.set_device(vertex, index);
    constexpr uint64_t kHostItself = QIAO_PLUGIN_DEVICE_UNIFIED;
    if (is_on_pci(info) || (info.flags & (kHostItself | QIAO_PLUGIN_DEVICE_SIMULATED)) != kHostItself) return;
    const qiao_link_claim coherent = {QIAO_LINK_ATTRIBUTE_SEMANTICS, QIAO_TOPOLOGY_PROVIDER_PLUGIN, QIAO_LINK_SEMANTIC_LOAD_STORE, 0u, 0u};
    for (uint32_t node = 0; node < graph.vertices().size(); ++node) {
        if (graph.vertices()[node].kind == QIAO_VERTEX_KIND_NUMA_NODE && (graph.vertices()[node].flags & QIAO_TOPOLOGY_MODELLED) == 0)
            graph.claim(vertex, node, QIAO_LINK_KIND_MEMORY, {&coherent, 1});
    }
}

}  // namespace

void ask_plugins(const Instance& instance, Graph& graph) {
    std::vector<void*> asked;
    std::string told;
    for (const qiao_device* handle : instance.devices) {
        const Device& device = handle->body;
        if (device.tables.link.link_describe == nullptr || std::find(asked.begin(), asked.end(), device.plugin) != asked.end()) continue;
        asked.push_back(device.plugin);
        PluginSink sink(graph, instance, device);
        const qiao_plugin_link_sink table = sink.table();
        clear_plugin_error();
        const qiao_status status = device.tables.link.link_describe(device.plugin, &table);
        if (status != QIAO_OK) graph.note("plugin " + device.plugin_id + ": " + take_plugin_error(status, device.plugin_id, "link_describe").message);
        told += (told.empty() ? "" : ", ") + device.plugin_id;
    }
    for (uint32_t index = 0; index < instance.devices.size(); ++index)
        place_device(graph, instance.devices[index]->body, index);
    topology::ProviderReport& report = graph.report(QIAO_TOPOLOGY_PROVIDER_PLUGIN);
    report.state = instance.devices.empty() ? QIAO_PROVIDER_STATE_ABSENT : QIAO_PROVIDER_STATE_USED;
    report.text = instance.devices.empty() ? "there are no devices" : topology::counted(instance.devices.size(), "device") + (told.empty() ? "; no plugin tells of links" : "; of links tells " + told);
}

std::vector<std::string> pci_addresses(const Instance& instance) {
    std::vector<std::string> addresses;
    for (const qiao_device* device : instance.devices) {
        if (is_on_pci(device->body.info)) addresses.push_back(pci_address(device->body.info));
    }
    return addresses;
}

}  // namespace qiao
