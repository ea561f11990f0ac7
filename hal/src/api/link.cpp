// Entries for topologies. A snapshot is made from what the system says, then from what the plugins say; ways through it are searched once
// for each source that a thread asks about.
#include "qiao/link.h"

#include <stdlib.h>

#include <cstring>

#include "api/entry.h"
#include "api/instance.h"
#include "object/device.h"
#include "object/topology.h"
#include "topology/affinity.h"
#include "topology/collect.h"
#include "topology/names.h"
#include "topology/search.h"
#include "topology/sysfs.h"

using namespace qiao;
using topology::Graph;
using topology::kNone;

namespace {

constexpr size_t kMostText = 128;
constexpr uint32_t kMostClaims = 64;

std::string sysfs_root(const char* wanted) {
    if (wanted != nullptr) return wanted;
    const char* root = secure_getenv("QIAO_SYSFS_ROOT");
    return root != nullptr && root[0] != '\0' ? root : "/sys";
}

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

qiao_status check_desc(const qiao_topology_desc& desc) {
    QIAO_RETURN_IF_ERROR(check_no_flags(desc.flags, "qiao_topology_desc"));
    QIAO_RETURN_IF_ERROR(check_reserved(desc.reserved0, "qiao_topology_desc"));
    constexpr uint32_t kKnown = ((1u << topology::kProviderCount) - 1) & ~1u;
    if ((desc.providers & ~kKnown) != 0) return fail(QIAO_ERROR_INVALID_ARGUMENT, "qiao_topology_desc.providers has unknown bits 0x%x", desc.providers & ~kKnown);
    if (desc.sysfs_root != nullptr && desc.sysfs_root[0] == '\0') {
        fail(QIAO_ERROR_INVALID_ARGUMENT, "qiao_topology_desc.sysfs_root is empty; it must be the path of a folder");
        set_remedy("leave it null for /sys");
        return QIAO_ERROR_INVALID_ARGUMENT;
    }
    return QIAO_OK;
}

// The thread's last search, which the next question is likely to be about as well.
const topology::Search& search_from(const Topology& of, uint32_t source) {
    struct Kept {
        uint64_t serial = 0;
        uint32_t source = 0;
        std::shared_ptr<const Graph> graph;
        std::unique_ptr<topology::Search> search;
    };
    static thread_local Kept kept;
    if (kept.search == nullptr || kept.serial != of.serial || kept.source != source) {
        kept.search = nullptr;
        kept.search = std::make_unique<topology::Search>(*of.graph, source);
        kept.graph = of.graph;
        kept.serial = of.serial;
        kept.source = source;
    }
    return *kept.search;
}

#define QIAO_CHECK_INDEX(index, all, what)                                                                                          \
    do {                                                                                                                            \
        if ((index) >= (all).size()) [[unlikely]] {                                                                                 \
            return fail(QIAO_ERROR_OUT_OF_RANGE, "%s is %u; there are %zu " what, #index, index, (all).size());                    \
        }                                                                                                                           \
    } while (false)

template <class List>
qiao_status give(const List& list, uint32_t capacity, uint32_t* out_items, uint32_t* out_count) {
    std::copy_n(list.begin(), std::min<size_t>(capacity, list.size()), out_items);
    *out_count = static_cast<uint32_t>(list.size());
    return QIAO_OK;
}

// The NUMA nodes that are as near as the nearest, itself if it is one. Memory alone may be nearer than any CPU: `for_cpus` passes
// over nodes without CPUs as long as there are others.
qiao_status near_nodes(const Topology& of, uint32_t vertex, bool for_cpus, std::vector<uint32_t>& out_nodes) {
    const Graph& graph = *of.graph;
    QIAO_CHECK_INDEX(vertex, graph.vertices(), "vertices");
    const topology::Search& search = search_from(of, vertex);
    out_nodes = search.nearest(QIAO_VERTEX_KIND_NUMA_NODE);
    if (graph.vertices()[vertex].kind == QIAO_VERTEX_KIND_NUMA_NODE) out_nodes.insert(out_nodes.begin(), vertex);
    const auto has_cpus = [&](uint32_t node) { return graph.vertices()[node].cpus != 0; };
    if (for_cpus && std::any_of(out_nodes.begin(), out_nodes.end(), has_cpus)) std::erase_if(out_nodes, [&](uint32_t node) { return !has_cpus(node); });
    if (!out_nodes.empty()) {
        const uint32_t least = search.links_to(out_nodes[0]);
        std::erase_if(out_nodes, [&](uint32_t node) { return search.links_to(node) != least; });
        return QIAO_OK;
    }
    fail(QIAO_ERROR_NOT_FOUND, "it is not known which NUMA node is near %s", graph.text(graph.vertices()[vertex].id));
    set_remedy("`qiao topo --providers` says who was asked");
    return QIAO_ERROR_NOT_FOUND;
}

// The same, of the machine that this process runs on.
qiao_status near_real_nodes(const Topology& of, uint32_t vertex, bool for_cpus, std::vector<uint32_t>& out_nodes) {
    QIAO_RETURN_IF_ERROR(near_nodes(of, vertex, for_cpus, out_nodes));
    const topology::Vertex& node = of.graph->vertices()[out_nodes[0]];
    if ((node.flags & QIAO_TOPOLOGY_MODELLED) == 0) return QIAO_OK;
    return fail(QIAO_ERROR_UNSUPPORTED, "%s is near %s, which is a model's: nothing of this machine lies there", of.graph->text(of.graph->vertices()[vertex].id), of.graph->text(node.id));
}

std::vector<uint32_t> cpus_of(const Graph& graph, const std::vector<uint32_t>& nodes) {
    std::vector<uint32_t> cpus;
    for (const uint32_t node : nodes) {
        const std::vector<uint32_t> some = topology::parse_list(graph.text(graph.vertices()[node].cpus)).value_or(std::vector<uint32_t>());
        cpus.insert(cpus.end(), some.begin(), some.end());
    }
    std::sort(cpus.begin(), cpus.end());
    cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
    return cpus;
}

}  // namespace

qiao_status qiao_topology_create(qiao_instance* instance, const qiao_topology_desc* desc, qiao_topology** out_topology) {
    if (out_topology != nullptr) *out_topology = nullptr;
    QIAO_CHECK_HANDLE(instance);
    QIAO_CHECK_POINTER(out_topology);
    return entry([&]() -> qiao_status {
        qiao_topology_desc request = QIAO_TOPOLOGY_DESC_INIT;
        if (desc != nullptr) QIAO_RETURN_IF_ERROR(read_desc(desc, "qiao_topology_desc", request));
        QIAO_RETURN_IF_ERROR(check_desc(request));
        topology::Sources sources;
        sources.sysfs_root = sysfs_root(request.sysfs_root);
        sources.providers = request.providers;
        for (const qiao_device* device : instance->body.devices) {
            if (is_on_pci(device->body.info)) sources.pci.push_back(pci_address(device->body.info));
        }
        auto graph = std::make_shared<Graph>();
        topology::collect(sources, *graph);
        if (sources.has(QIAO_TOPOLOGY_PROVIDER_PLUGIN)) ask_plugins(instance->body, *graph);
        graph->finish();
        static std::atomic<uint64_t> g_serial{0};
        *out_topology = Slab<qiao_topology>::get().create(instance, std::move(graph), g_serial.fetch_add(1) + 1);
        instance_add_use(instance);
        return QIAO_OK;
    });
}

qiao_status qiao_topology_retain(qiao_topology* topology) {
    QIAO_CHECK_ALIVE(topology);
    retain(topology);
    return QIAO_OK;
}

qiao_status qiao_topology_release(qiao_topology* topology) {
    if (topology == nullptr) return QIAO_OK;
    QIAO_CHECK_ALIVE(topology);
    return entry([&]() -> qiao_status {
        if (!release(topology)) return QIAO_OK;
        qiao_instance* instance = topology->body.instance;
        drop_use(topology);
        instance_drop_use(instance);
        return QIAO_OK;
    });
}

qiao_status qiao_topology_query(qiao_topology* topology, qiao_topology_properties* out_properties) {
    QIAO_CHECK_HANDLE(topology);
    QIAO_CHECK_POINTER(out_properties);
    const Graph& graph = *topology->body.graph;
    qiao_topology_properties values = QIAO_TOPOLOGY_PROPERTIES_INIT;
    values.vertex_count = static_cast<uint32_t>(graph.vertices().size());
    values.link_count = static_cast<uint32_t>(graph.links().size());
    values.class_count = static_cast<uint32_t>(graph.classes().size());
    values.note_count = static_cast<uint32_t>(graph.notes().size());
    values.provider_count = topology::kProviderCount - 1;
    values.host_bytes = graph.host_bytes();
    return write_struct(values, out_properties, "qiao_topology_properties");
}

qiao_status qiao_topology_query_vertex(qiao_topology* topology, uint32_t vertex, qiao_vertex* out_vertex) {
    QIAO_CHECK_HANDLE(topology);
    QIAO_CHECK_POINTER(out_vertex);
    const Graph& graph = *topology->body.graph;
    QIAO_CHECK_INDEX(vertex, graph.vertices(), "vertices");
    const topology::Vertex& found = graph.vertices()[vertex];
    qiao_vertex values = QIAO_VERTEX_INIT;
    values.id = graph.text(found.id);
    values.name = graph.text(found.name);
    values.cpus = graph.text(found.cpus);
    values.device = found.device == kNone ? nullptr : topology->body.instance->body.devices[found.device];
    values.kind = found.kind;
    values.provider = found.provider;
    values.parent = found.parent;
    values.os_index = found.os_index;
    values.flags = found.flags;
    values.memory_bytes = found.memory_bytes;
    values.pci_vendor_id = found.pci_vendor_id;
    values.pci_device_id = found.pci_device_id;
    return write_struct(values, out_vertex, "qiao_vertex");
}

qiao_status qiao_topology_find_vertex(qiao_topology* topology, const char* id, uint32_t* out_vertex) {
    if (out_vertex != nullptr) *out_vertex = kNone;
    QIAO_CHECK_HANDLE(topology);
    QIAO_CHECK_POINTER(id);
    QIAO_CHECK_POINTER(out_vertex);
    *out_vertex = topology->body.graph->find(id);
    if (*out_vertex != kNone) return QIAO_OK;
    fail(QIAO_ERROR_NOT_FOUND, "no vertex has the id '%.200s'", id);
    set_remedy("`qiao topo --tree` shows the ids there are");
    return QIAO_ERROR_NOT_FOUND;
}

qiao_status qiao_topology_find_device(qiao_topology* topology, qiao_device* device, uint32_t* out_vertex) {
    if (out_vertex != nullptr) *out_vertex = kNone;
    QIAO_CHECK_HANDLE(topology);
    QIAO_CHECK_ALIVE(device);
    QIAO_CHECK_POINTER(out_vertex);
    if (device->body.instance == topology->body.instance) *out_vertex = topology->body.graph->find(device->body.id);
    if (*out_vertex != kNone) return QIAO_OK;
    return fail(QIAO_ERROR_NOT_FOUND, "%s is not in this topology: it is of another instance, or plugins were not asked", device->body.id.c_str());
}

qiao_status qiao_topology_find_cpu(qiao_topology* topology, uint32_t cpu, uint32_t* out_vertex) {
    if (out_vertex != nullptr) *out_vertex = kNone;
    QIAO_CHECK_HANDLE(topology);
    QIAO_CHECK_POINTER(out_vertex);
    return entry([&]() -> qiao_status {
        const Graph& graph = *topology->body.graph;
        for (uint32_t vertex = 0; vertex < graph.vertices().size(); ++vertex) {
            if (graph.vertices()[vertex].cpus == 0) continue;
            const std::vector<uint32_t> cpus = cpus_of(graph, {vertex});
            if (!std::binary_search(cpus.begin(), cpus.end(), cpu)) continue;
            *out_vertex = vertex;
            return QIAO_OK;
        }
        return fail(QIAO_ERROR_NOT_FOUND, "no NUMA node has a CPU %u", cpu);
    });
}

qiao_status qiao_topology_query_link(qiao_topology* topology, uint32_t link, qiao_link* out_link) {
    QIAO_CHECK_HANDLE(topology);
    QIAO_CHECK_POINTER(out_link);
    const Graph& graph = *topology->body.graph;
    QIAO_CHECK_INDEX(link, graph.links(), "links");
    const topology::LinkClass& link_class = graph.class_of(link);
    qiao_link values = QIAO_LINK_INIT;
    values.source = graph.links()[link].source;
    values.target = graph.links()[link].target;
    values.kind = link_class.kind;
    values.claim_count = static_cast<uint32_t>(link_class.claims.size());
    values.flags = link_class.flags;
    values.conflicts = link_class.conflicts;
    values.link_class = graph.links()[link].link_class;
    return write_struct(values, out_link, "qiao_link");
}

qiao_status qiao_topology_query_claim(qiao_topology* topology, uint32_t link, uint32_t index, qiao_link_claim* out_claim) {
    if (out_claim != nullptr) *out_claim = QIAO_LINK_CLAIM_INIT;
    QIAO_CHECK_HANDLE(topology);
    QIAO_CHECK_POINTER(out_claim);
    const Graph& graph = *topology->body.graph;
    QIAO_CHECK_INDEX(link, graph.links(), "links");
    const std::vector<qiao_link_claim>& claims = graph.class_of(link).claims;
    if (index >= claims.size()) return fail(QIAO_ERROR_NOT_FOUND, "there are %zu claims about link %u, %u was asked for", claims.size(), link, index);
    *out_claim = claims[index];
    return QIAO_OK;
}

qiao_status qiao_topology_get_attribute(qiao_topology* topology, uint32_t link, qiao_link_attribute attribute, qiao_link_claim* out_claim) {
    if (out_claim != nullptr) *out_claim = QIAO_LINK_CLAIM_INIT;
    QIAO_CHECK_HANDLE(topology);
    QIAO_CHECK_POINTER(out_claim);
    const Graph& graph = *topology->body.graph;
    QIAO_CHECK_INDEX(link, graph.links(), "links");
    const char* name = topology::name_of(QIAO_TOPOLOGY_LIST_ATTRIBUTE, attribute);
    if (name == nullptr) return fail(QIAO_ERROR_INVALID_ARGUMENT, "there is no attribute %u; the last is %u", attribute, QIAO_LINK_ATTRIBUTE_COUNT - 1);
    const qiao_link_claim* claim = graph.class_of(link).find(attribute);
    if (claim == nullptr) return fail(QIAO_ERROR_NOT_FOUND, "nobody says what the %s of link %u is", name, link);
    *out_claim = *claim;
    return QIAO_OK;
}

qiao_status qiao_topology_enumerate_links(qiao_topology* topology, uint32_t vertex, uint32_t capacity, uint32_t* out_links, uint32_t* out_count) {
    if (out_count != nullptr) *out_count = 0;
    QIAO_CHECK_HANDLE(topology);
    QIAO_CHECK_POINTER(out_count);
    if (capacity != 0) QIAO_CHECK_POINTER(out_links);
    const Graph& graph = *topology->body.graph;
    QIAO_CHECK_INDEX(vertex, graph.vertices(), "vertices");
    const auto [first, last] = graph.links_of(vertex);
    *out_count = last - first;
    for (uint32_t at = 0; at < std::min(capacity, *out_count); ++at) out_links[at] = first + at;
    return QIAO_OK;
}

qiao_status qiao_topology_query_path(qiao_topology* topology, uint32_t source, uint32_t target, uint32_t capacity, uint32_t* out_links, qiao_path* out_path) {
    QIAO_CHECK_HANDLE(topology);
    QIAO_CHECK_POINTER(out_path);
    if (capacity != 0) QIAO_CHECK_POINTER(out_links);
    return entry([&]() -> qiao_status {
        const Graph& graph = *topology->body.graph;
        QIAO_CHECK_INDEX(source, graph.vertices(), "vertices");
        QIAO_CHECK_INDEX(target, graph.vertices(), "vertices");
        static thread_local topology::Path path;  // its memory is used again
        search_from(topology->body, source).path_to(target, path);
        qiao_path values = QIAO_PATH_INIT;
        values.link_count = static_cast<uint32_t>(path.links.size());
        values.distance = path.distance;
        values.bottleneck = path.bottleneck;
        values.alternatives = path.alternatives;
        values.bandwidth = path.bandwidth;
        values.latency_ns = path.latency_ns;
        values.unknown_bandwidths = path.unknown_bandwidths;
        QIAO_RETURN_IF_ERROR(write_struct(values, out_path, "qiao_path"));
        std::copy_n(path.links.begin(), std::min<size_t>(capacity, path.links.size()), out_links);
        return QIAO_OK;
    });
}

qiao_status qiao_topology_query_nearest(qiao_topology* topology, uint32_t source, qiao_vertex_kind kind, uint32_t capacity, uint32_t* out_vertices, uint32_t* out_count) {
    if (out_count != nullptr) *out_count = 0;
    QIAO_CHECK_HANDLE(topology);
    QIAO_CHECK_POINTER(out_count);
    if (capacity != 0) QIAO_CHECK_POINTER(out_vertices);
    return entry([&]() -> qiao_status {
        QIAO_CHECK_INDEX(source, topology->body.graph->vertices(), "vertices");
        if (topology::name_of(QIAO_TOPOLOGY_LIST_VERTEX_KIND, kind) == nullptr) return fail(QIAO_ERROR_INVALID_ARGUMENT, "there is no kind %u of vertex; the last is %u", kind, QIAO_VERTEX_KIND_GROUP);
        return give(search_from(topology->body, source).nearest(kind), capacity, out_vertices, out_count);
    });
}

qiao_status qiao_topology_query_cpus(qiao_topology* topology, uint32_t vertex, uint32_t capacity, uint32_t* out_cpus, uint32_t* out_count) {
    if (out_count != nullptr) *out_count = 0;
    QIAO_CHECK_HANDLE(topology);
    QIAO_CHECK_POINTER(out_count);
    if (capacity != 0) QIAO_CHECK_POINTER(out_cpus);
    return entry([&]() -> qiao_status {
        std::vector<uint32_t> nodes;
        QIAO_RETURN_IF_ERROR(near_nodes(topology->body, vertex, true, nodes));
        return give(cpus_of(*topology->body.graph, nodes), capacity, out_cpus, out_count);
    });
}

qiao_status qiao_topology_bind_thread(qiao_topology* topology, uint32_t vertex) {
    QIAO_CHECK_HANDLE(topology);
    return entry([&]() -> qiao_status {
        std::vector<uint32_t> nodes;
        QIAO_RETURN_IF_ERROR(near_real_nodes(topology->body, vertex, true, nodes));
        const Graph& graph = *topology->body.graph;
        const char* id = graph.text(graph.vertices()[nodes[0]].id);
        const std::vector<uint32_t> cpus = cpus_of(graph, nodes);
        if (cpus.empty()) return fail(QIAO_ERROR_NOT_FOUND, "%s, the nearest node, has no CPUs", id);
        const int error = topology::bind_this_thread(cpus);
        if (error == 0) return QIAO_OK;
        return fail(QIAO_ERROR_UNSUPPORTED, "the thread cannot run on the CPUs %s of %s: %s", graph.text(graph.vertices()[nodes[0]].cpus), id, std::strerror(error));
    });
}

qiao_status qiao_topology_allocate(qiao_topology* topology, uint32_t vertex, uint64_t size_bytes, void** out_pointer) {
    if (out_pointer != nullptr) *out_pointer = nullptr;
    QIAO_CHECK_HANDLE(topology);
    QIAO_CHECK_POINTER(out_pointer);
    return entry([&]() -> qiao_status {
        if (size_bytes == 0) return fail(QIAO_ERROR_OUT_OF_RANGE, "size_bytes is 0; allocate at least one byte");
        std::vector<uint32_t> nodes;
        QIAO_RETURN_IF_ERROR(near_real_nodes(topology->body, vertex, false, nodes));
        const topology::Vertex& node = topology->body.graph->vertices()[nodes[0]];
        *out_pointer = topology::allocate_on_node(size_bytes, node.os_index & 0xffff);
        if (*out_pointer != nullptr) return QIAO_OK;
        return fail(errno == ENOMEM ? QIAO_ERROR_OUT_OF_MEMORY : QIAO_ERROR_UNSUPPORTED, "%" PRIu64 " bytes near %s: %s", size_bytes, topology->body.graph->text(node.id), std::strerror(errno));
    });
}

qiao_status qiao_topology_free(void* pointer, uint64_t size_bytes) {
    if (pointer == nullptr) return QIAO_OK;
    if (size_bytes == 0) return fail(QIAO_ERROR_OUT_OF_RANGE, "size_bytes is 0; give the size that was allocated");
    const int error = topology::free_pages(pointer, size_bytes);
    return error == 0 ? QIAO_OK : fail(QIAO_ERROR_INVALID_ARGUMENT, "%p is no such memory: %s", pointer, std::strerror(error));
}

qiao_status qiao_topology_query_provider(qiao_topology* topology, uint32_t index, qiao_topology_provider* out_provider) {
    QIAO_CHECK_HANDLE(topology);
    QIAO_CHECK_POINTER(out_provider);
    const auto& reports = topology->body.graph->reports();
    if (index + 1 >= reports.size()) return fail(QIAO_ERROR_NOT_FOUND, "there are %zu providers, %u was asked for", reports.size() - 1, index);
    const topology::ProviderReport& report = reports[index + 1];
    qiao_topology_provider values = QIAO_TOPOLOGY_PROVIDER_INIT;
    values.provider = index + 1;
    values.state = report.state;
    values.vertex_count = report.vertex_count;
    values.claim_count = report.claim_count;
    values.text = report.text.c_str();
    return write_struct(values, out_provider, "qiao_topology_provider");
}

qiao_status qiao_topology_query_note(qiao_topology* topology, uint32_t index, const char** out_text) {
    if (out_text != nullptr) *out_text = nullptr;
    QIAO_CHECK_HANDLE(topology);
    QIAO_CHECK_POINTER(out_text);
    const std::vector<std::string>& notes = topology->body.graph->notes();
    if (index >= notes.size()) return fail(QIAO_ERROR_NOT_FOUND, "there are %zu notes, %u was asked for", notes.size(), index);
    *out_text = notes[index].c_str();
    return QIAO_OK;
}

const char* qiao_topology_get_name(qiao_topology_list list, uint32_t number) {
    return topology::name_of(list, number);
}
