// What hwloc found on this machine, as a second opinion: memory of NUMA nodes, and the speed of PCI links. Opened at run time; asked for
// its XML, since that is the form of its knowledge that does not change with its version.
#include <dlfcn.h>

#include <memory>

#include "topology/providers.h"

namespace qiao::topology {
namespace {

struct Hwloc {
    explicit Hwloc(const char* name) : library(dlopen(name, RTLD_NOW | RTLD_LOCAL)) {}
    ~Hwloc() {
        if (library != nullptr) dlclose(library);
    }
    Hwloc(const Hwloc&) = delete;
    Hwloc& operator=(const Hwloc&) = delete;

    template <class Function>
    bool find(Function& function, const char* name) {
        function = reinterpret_cast<Function>(dlsym(library, name));
        return function != nullptr;
    }

    void* library;
    int (*init)(void**) = nullptr;
    int (*load)(void*) = nullptr;
    void (*destroy)(void*) = nullptr;
    int (*set_io_types_filter)(void*, int) = nullptr;
    int (*export_xmlbuffer)(void*, char**, int*, unsigned long) = nullptr;
    void (*free_xmlbuffer)(void*, char*) = nullptr;
};

constexpr int kKeepImportant = 3; // HWLOC_TYPE_FILTER_KEEP_IMPORTANT
constexpr char kName[] = "libhwloc.so.15";

// The value of an attribute of one tag.
std::string_view attribute(std::string_view tag, const std::string& name) {
    const std::string begin = ' ' + name + "=\"";
    const size_t at = tag.find(begin);
    if (at == std::string_view::npos) return "";
    const size_t first = at + begin.size(), end = tag.find('"', first);
    return end == std::string_view::npos ? "" : tag.substr(first, end - first);
}

struct Count {
    size_t nodes = 0, functions = 0;
};

void read_object(std::string_view tag, Graph& graph, Count& count) {
    const std::string_view type = attribute(tag, "type");
    if (type == "NUMANode") {
        const std::optional<int64_t> index = parse_number(attribute(tag, "os_index")), memory = parse_number(attribute(tag, "local_memory"));
        if (!index || *index < 0) return;
        ++count.nodes;
        const uint32_t vertex = graph.find(numa_id(static_cast<uint64_t>(*index)));
        if (vertex == kNone) return graph.note("hwloc: it knows a NUMA node " + std::to_string(*index) + ", and sysfs does not");
        graph.add_vertex({.id = numa_id(static_cast<uint64_t>(*index)),
                          .provider = QIAO_TOPOLOGY_PROVIDER_HWLOC,
                          .memory_bytes = memory && *memory > 0 ? static_cast<uint64_t>(*memory) : QIAO_UNKNOWN});
    } else if (type == "PCIDev") {
        ++count.functions;
        const uint32_t vertex = graph.find("pci:" + std::string(attribute(tag, "pci_busid")));
        const double gigabytes = std::strtod(std::string(attribute(tag, "pci_link_speed")).c_str(), nullptr);
        if (vertex == kNone || graph.vertices()[vertex].above == kNone || !(gigabytes > 0 && gigabytes < 1e6)) return;
        Claims claims(QIAO_TOPOLOGY_PROVIDER_HWLOC);
        claims.add(QIAO_LINK_ATTRIBUTE_BANDWIDTH, static_cast<uint64_t>(gigabytes * 1e9));
        graph.claim(vertex, graph.vertices()[vertex].above, QIAO_LINK_KIND_PCIE, claims);
    }
}

Count read_xml(std::string_view xml, Graph& graph) {
    Count count;
    for (size_t at = xml.find("<object"); at != std::string_view::npos; at = xml.find("<object", at + 1)) {
        const size_t end = xml.find('>', at);
        if (end == std::string_view::npos) break;
        read_object(xml.substr(at, end - at), graph, count);
    }
    return count;
}

} // namespace

void add_hwloc(bool is_this_machine, Graph& graph) {
    ProviderReport& report = graph.report(QIAO_TOPOLOGY_PROVIDER_HWLOC);
    if (!is_this_machine) return absent(report, "it sees this machine only, and another root was asked for");
    Hwloc hwloc(kName);
    if (hwloc.library == nullptr) return absent(report, std::string(kName) + " is not installed");
    if (!hwloc.find(hwloc.init, "hwloc_topology_init") || !hwloc.find(hwloc.load, "hwloc_topology_load") || !hwloc.find(hwloc.destroy, "hwloc_topology_destroy") ||
        !hwloc.find(hwloc.set_io_types_filter, "hwloc_topology_set_io_types_filter") || !hwloc.find(hwloc.export_xmlbuffer, "hwloc_topology_export_xmlbuffer") ||
        !hwloc.find(hwloc.free_xmlbuffer, "hwloc_free_xmlbuffer"))
        return failed(report, std::string(kName) + " lacks a function that it should have");
    void* made = nullptr;
    if (hwloc.init(&made) != 0) return failed(report, "hwloc_topology_init failed");
    const std::unique_ptr<void, void (*)(void*)> topology(made, hwloc.destroy);
    char* xml = nullptr;
    int length = 0;
    if (hwloc.set_io_types_filter(made, kKeepImportant) != 0 || hwloc.load(made) != 0 || hwloc.export_xmlbuffer(made, &xml, &length, 0) != 0)
        return failed(report, "hwloc could not look at this machine");
    const Count count = read_xml(std::string_view(xml, static_cast<size_t>(length)), graph);
    hwloc.free_xmlbuffer(made, xml);
    found(report, counted(count.nodes, "NUMA node") + ", " + counted(count.functions, "PCI device"));
}

} // namespace qiao::topology
