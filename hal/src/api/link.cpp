// Entries for topologies. A snapshot is made from what the system says, then from what the plugins say (link_plugins.h); ways through it
// are searched once for each source that a thread asks about.
#include "qiao/link.h"

#include <stdlib.h>

#include <cstring>

#include "api/entry.h"
#include "api/instance.h"
#include "api/link_plugins.h"
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

std::string sysfs_root(const char* wanted) {
    if (wanted != nullptr) return wanted;
    const char* root = secure_getenv("QIAO_SYSFS_ROOT");
    return root != nullptr && root[0] != '\0' ? root : "/sys";
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
        sources.pci = pci_addresses(instance->body);
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
