/* Topologies: snapshots of how things hang together. A vertex may be given as its number, its id or a device. */
#include <pybind11/stl.h>

#include <utility>
#include <vector>

#include "errors.h"
#include "objects.h"

namespace qiao::python {
namespace {

py::object type_of(const char* name) {
    return py::module_::import("qiao.topology").attr(name);
}

py::object known(uint64_t value) {
    return value == QIAO_UNKNOWN ? py::object(py::none()) : py::int_(value);
}

py::object numbered(uint32_t index) {
    return index == QIAO_VERTEX_NONE ? py::object(py::none()) : py::int_(index);
}

std::string name_of(qiao_topology_list list, uint32_t number) {
    const char* name = qiao_topology_get_name(list, number);
    return name == nullptr ? std::to_string(number) : name;
}

VertexIndex index_of(const TopologyObject& self, py::handle vertex) {
    if (py::isinstance<py::str>(vertex)) return self.topology.find(vertex.cast<std::string>());
    if (py::isinstance<DeviceObject>(vertex)) return self.topology.find(vertex.cast<DeviceObject&>().device);
    if (py::isinstance<py::int_>(vertex)) {
        const auto number = vertex.cast<py::int_>();
        if (number < py::int_(0) || number >= py::int_(self.topology.vertex_count())) raise(QIAO_ERROR_OUT_OF_RANGE, "there is no vertex " + py::str(number).cast<std::string>() + "; there are " + std::to_string(self.topology.vertex_count()));
        return vertex.cast<VertexIndex>();
    }
    if (py::isinstance(vertex, type_of("Vertex"))) return index_of(self, vertex.attr("number"));
    raise_type_error("a vertex is a number, an id, a qiao.Device or a Vertex, not '" + type_name(vertex) + "'");
}

VertexKind kind_of(const std::string& name) {
    std::string all;
    for (uint32_t kind = 1;; ++kind) {
        const char* known_name = qiao_topology_get_name(QIAO_TOPOLOGY_LIST_VERTEX_KIND, kind);
        if (known_name == nullptr) raise_value_error("there is no kind '" + name + "' of vertex; there are " + all);
        if (name == known_name) return static_cast<VertexKind>(kind);
        all += (all.empty() ? "" : ", ") + std::string(known_name);
    }
}

py::object vertex_of(const TopologyObject& self, VertexIndex index) {
    const Vertex vertex = self.topology.vertex(index);
    py::object device = py::none();
    for (DeviceObject& each : self.instance->devices)
        if (each.device.get() == vertex.device) device = py::cast(each.share());
    return type_of("Vertex")(index, vertex.id, name_of(QIAO_TOPOLOGY_LIST_VERTEX_KIND, vertex.kind), vertex.name, name_of(QIAO_TOPOLOGY_LIST_PROVIDER, vertex.provider),
                             numbered(vertex.parent), numbered(vertex.os_index), vertex.cpus, known(vertex.memory_bytes), device, vertex.is_modelled());
}

py::object link_of(const TopologyObject& self, uint32_t index) {
    const Link link = self.topology.link(index);
    py::dict claims;
    py::set conflicts;
    for (const qiao_link_claim& claim : self.topology.claims(index)) {
        const std::string attribute = name_of(QIAO_TOPOLOGY_LIST_ATTRIBUTE, claim.attribute);
        const py::object grade = claim.grade == 0 ? py::object(py::none()) : py::str(name_of(QIAO_TOPOLOGY_LIST_GRADE, claim.grade));
        const py::object entry = type_of("Claim")(claim.value, name_of(QIAO_TOPOLOGY_LIST_UNIT, claim.attribute), name_of(QIAO_TOPOLOGY_LIST_PROVIDER, claim.provider), grade);
        if (!claims.contains(attribute)) claims[attribute.c_str()] = py::list();
        claims[attribute.c_str()].cast<py::list>().append(entry);
        if (link.has_conflict(claim.attribute)) conflicts.add(attribute);
    }
    return type_of("Link")(index, link.source, link.target, name_of(QIAO_TOPOLOGY_LIST_LINK_KIND, link.kind), claims, py::frozenset(conflicts), link.is_modelled());
}

py::list vertices_of(const TopologyObject& self) {
    py::list all;
    for (VertexIndex index = 0; index < self.topology.vertex_count(); ++index)
        all.append(vertex_of(self, index));
    return all;
}

py::list links_of(const TopologyObject& self, const py::object& vertex) {
    py::list all;
    if (!vertex.is_none()) {
        for (const uint32_t link : self.topology.links_of(index_of(self, vertex)))
            all.append(link_of(self, link));
        return all;
    }
    for (uint32_t index = 0; index < self.topology.link_count(); ++index)
        all.append(link_of(self, index));
    return all;
}

py::object path_of(const TopologyObject& self, const py::object& source, const py::object& target) {
    const Path path = self.topology.path(index_of(self, source), index_of(self, target));
    return type_of("Path")(path.links, name_of(QIAO_TOPOLOGY_LIST_DISTANCE, path.distance), known(path.bandwidth), known(path.latency_ns), numbered(path.bottleneck), path.alternatives,
                           path.unknown_bandwidths);
}

py::list nearest_of(const TopologyObject& self, const py::object& vertex, const std::string& kind) {
    py::list all;
    for (const VertexIndex index : self.topology.nearest(index_of(self, vertex), kind_of(kind)))
        all.append(vertex_of(self, index));
    return all;
}

py::list providers_of(const TopologyObject& self) {
    py::list all;
    for (const qiao_topology_provider& each : self.topology.providers())
        all.append(type_of("Provider")(name_of(QIAO_TOPOLOGY_LIST_PROVIDER, each.provider), name_of(QIAO_TOPOLOGY_LIST_PROVIDER_STATE, each.state), each.vertex_count, each.claim_count, each.text));
    return all;
}

uint32_t provider_bits(const std::vector<std::string>& names) {
    uint32_t bits = 0;
    for (const std::string& name : names) {
        uint32_t provider = 1;
        std::string all;
        for (const char* each; (each = qiao_topology_get_name(QIAO_TOPOLOGY_LIST_PROVIDER, provider)) != nullptr && name != each; ++provider)
            all += (all.empty() ? "" : ", ") + std::string(each);
        if (qiao_topology_get_name(QIAO_TOPOLOGY_LIST_PROVIDER, provider) == nullptr) raise_value_error("there is no provider '" + name + "'; there are " + all);
        bits |= 1u << provider;
    }
    return bits;
}

} // namespace

std::shared_ptr<TopologyObject> make_topology(const std::shared_ptr<InstanceObject>& instance, const std::optional<std::string>& sysfs_root,
                                              const std::optional<std::vector<std::string>>& providers) {
    TopologyOptions options;
    if (sysfs_root) options.sysfs_root = sysfs_root->c_str();
    if (providers) options.providers = provider_bits(*providers);
    const py::gil_scoped_release others;
    return std::make_shared<TopologyObject>(TopologyObject{instance, Topology(instance->instance, options)});
}

void bind_topology(py::module_& module) {
    py::class_<NearMemory>(module, "NearMemory", py::buffer_protocol(), "Zeroed host memory near a vertex: bytes for numpy.frombuffer and memoryview.")
        .def_buffer([](NearMemory& self) { return py::buffer_info(static_cast<uint8_t*>(self.data()), static_cast<py::ssize_t>(self.size())); })
        .def("__len__", &NearMemory::size);
    py::class_<TopologyObject, std::shared_ptr<TopologyObject>>(module, "Topology", "A snapshot of how cards, host and network hang together.")
        .def_property_readonly("vertices", &vertices_of, "All of them, by their numbers.")
        .def("vertex", [](const TopologyObject& self, const py::object& vertex) { return vertex_of(self, index_of(self, vertex)); }, py::arg("vertex"),
             "One, by number, id or device. NotFoundError.")
        .def("links", &links_of, py::arg("vertex") = py::none(), "Those that leave the vertex; all without one.")
        .def("link", &link_of, py::arg("index"))
        .def("path", &path_of, py::arg("source"), py::arg("target"), "The way of fewest links; of those the widest.")
        .def("nearest", &nearest_of, py::arg("vertex"), py::arg("kind"), "The vertices of a kind (\"numa\", \"card\", \"port\"), nearest first.")
        .def("cpus", [](const TopologyObject& self, const py::object& vertex) { return self.topology.cpus(index_of(self, vertex)); }, py::arg("vertex"),
             "The host's CPUs near the vertex. NotFoundError if none are known.")
        .def("cpu", [](const TopologyObject& self, uint32_t cpu) { return vertex_of(self, self.topology.find_cpu(cpu)); }, py::arg("cpu"), "The NUMA node of a CPU.")
        .def("bind_thread", [](const TopologyObject& self, const py::object& vertex) { self.topology.bind_thread(index_of(self, vertex)); }, py::arg("vertex"),
             "The calling thread runs on the CPUs near the vertex from now on.")
        .def("allocate", [](const TopologyObject& self, const py::object& vertex, uint64_t size) { return self.topology.allocate(index_of(self, vertex), size); }, py::arg("vertex"), py::arg("size"),
             "Host memory near the vertex.")
        .def_property_readonly("providers", &providers_of, "Who was asked, and what came of it.")
        .def_property_readonly("notes", [](const TopologyObject& self) {
            py::list all;
            for (const char* note : self.topology.notes())
                all.append(note);
            return all;
        }, "What was strange.")
        .def("__repr__", [](const TopologyObject& self) {
            return "<qiao.Topology of " + std::to_string(self.topology.vertex_count()) + " vertices and " + std::to_string(self.topology.link_count()) + " links>";
        });
}

} // namespace qiao::python
