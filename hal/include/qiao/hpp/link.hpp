/* How cards and host hang together: a snapshot of the graph, and questions about it. */
#ifndef QIAO_HPP_LINK_HPP
#define QIAO_HPP_LINK_HPP

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "qiao/hpp/device.hpp"
#include "qiao/hpp/instance.hpp"
#include "qiao/hpp/owner.hpp"
#include "qiao/link.h"

namespace qiao {
inline namespace v0 {

enum class VertexKind : qiao_vertex_kind {
    kNumaNode = QIAO_VERTEX_KIND_NUMA_NODE,
    kPackage = QIAO_VERTEX_KIND_PACKAGE,
    kCard = QIAO_VERTEX_KIND_CARD,
    kPartition = QIAO_VERTEX_KIND_PARTITION,
    kSwitch = QIAO_VERTEX_KIND_SWITCH,
    kPort = QIAO_VERTEX_KIND_PORT,
    kBridge = QIAO_VERTEX_KIND_BRIDGE,
    kMemory = QIAO_VERTEX_KIND_MEMORY,
    kGroup = QIAO_VERTEX_KIND_GROUP,
};

/// A vertex, by its number in a topology.
using VertexIndex = uint32_t;

/// Strings live as long as the topology.
struct Vertex : qiao_vertex {
    Vertex() noexcept : qiao_vertex(QIAO_VERTEX_INIT) {}
    bool is_modelled() const noexcept { return (flags & QIAO_TOPOLOGY_MODELLED) != 0; }
};

struct Link : qiao_link {
    Link() noexcept : qiao_link(QIAO_LINK_INIT) {}
    bool is_modelled() const noexcept { return (flags & QIAO_TOPOLOGY_MODELLED) != 0; }
    bool has_conflict(qiao_link_attribute attribute) const noexcept { return (conflicts >> attribute & 1) != 0; }
};

/// The way between two vertices.
struct Path : qiao_path {
    Path() noexcept : qiao_path(QIAO_PATH_INIT) {}
    std::vector<uint32_t> links; ///< in their order
    explicit operator bool() const noexcept { return distance != QIAO_DISTANCE_NONE; }
};

/// The fields of qiao_topology_desc.
struct TopologyOptions {
    const char* sysfs_root = nullptr; ///< the folder that stands for /sys; null = QIAO_SYSFS_ROOT, else /sys
    uint32_t providers = 0;           ///< bit (1 << QIAO_TOPOLOGY_PROVIDER_...) for each that is asked; 0 = all
};

/// Host memory near a vertex; given back with this.
class NearMemory {
  public:
    void* data() const noexcept { return pointer_.get(); }
    uint64_t size() const noexcept { return pointer_.get_deleter().size_bytes; }

  private:
    friend class Topology;
    struct Free {
        uint64_t size_bytes = 0;
        void operator()(void* pointer) const noexcept { static_cast<void>(qiao_topology_free(pointer, size_bytes)); }
    };
    NearMemory(void* pointer, uint64_t size_bytes) noexcept : pointer_(pointer, Free{size_bytes}) {}
    std::unique_ptr<void, Free> pointer_;
};

/// A snapshot of how things hang together. It never changes: make another one to see what has happened since.
class Topology : public Owner<qiao_topology, qiao_topology_retain, qiao_topology_release> {
  public:
    Topology() noexcept = default;
    explicit Topology(const Instance& instance, TopologyOptions options = TopologyOptions()) : Owner(create(instance, options)) {}
    /// Takes over the caller's reference.
    static Topology adopt(qiao_topology* owned) noexcept { return Topology(owned); }
    Topology share() const { return Topology(retained()); }

    uint32_t vertex_count() const { return properties().vertex_count; }
    uint32_t link_count() const { return properties().link_count; }
    qiao_topology_properties properties() const {
        qiao_topology_properties properties = QIAO_TOPOLOGY_PROPERTIES_INIT;
        check(qiao_topology_query(get(), &properties));
        return properties;
    }
    Vertex vertex(VertexIndex index) const {
        Vertex vertex;
        check(qiao_topology_query_vertex(get(), index, &vertex));
        return vertex;
    }
    Link link(uint32_t index) const {
        Link link;
        check(qiao_topology_query_link(get(), index, &link));
        return link;
    }
    /// Of one attribute the most trusted first.
    std::vector<qiao_link_claim> claims(uint32_t link_index) const {
        std::vector<qiao_link_claim> all(link(link_index).claim_count);
        for (uint32_t index = 0; index < all.size(); ++index)
            check(qiao_topology_query_claim(get(), link_index, index, &all[index]));
        return all;
    }
    /// Nothing if nobody says.
    std::optional<uint64_t> attribute(uint32_t link_index, qiao_link_attribute attribute) const {
        qiao_link_claim claim = QIAO_LINK_CLAIM_INIT;
        const qiao_status status = qiao_topology_get_attribute(get(), link_index, attribute, &claim);
        if (status == QIAO_ERROR_NOT_FOUND) return std::nullopt;
        check(status);
        return claim.value;
    }
    /// The links that leave a vertex.
    std::vector<uint32_t> links_of(VertexIndex vertex) const {
        return listed([&](uint32_t capacity, uint32_t* out, uint32_t* count) {
            return qiao_topology_enumerate_links(get(), vertex, capacity, out, count);
        });
    }

    /// NotFoundError.
    VertexIndex find(const std::string& id) const {
        VertexIndex vertex = QIAO_VERTEX_NONE;
        check(qiao_topology_find_vertex(get(), id.c_str(), &vertex));
        return vertex;
    }
    VertexIndex find(Device device) const {
        VertexIndex vertex = QIAO_VERTEX_NONE;
        check(qiao_topology_find_device(get(), device.get(), &vertex));
        return vertex;
    }
    /// The NUMA node of a CPU.
    VertexIndex find_cpu(uint32_t cpu) const {
        VertexIndex vertex = QIAO_VERTEX_NONE;
        check(qiao_topology_find_cpu(get(), cpu, &vertex));
        return vertex;
    }

    /// Without a way it is false.
    Path path(VertexIndex source, VertexIndex target) const {
        Path path;
        path.links.resize(8);
        check(qiao_topology_query_path(get(), source, target, static_cast<uint32_t>(path.links.size()), path.links.data(), &path));
        if (path.link_count > path.links.size()) {
            path.links.resize(path.link_count);
            check(qiao_topology_query_path(get(), source, target, path.link_count, path.links.data(), &path));
        }
        path.links.resize(path.link_count);
        return path;
    }
    /// Nearest first.
    std::vector<VertexIndex> nearest(VertexIndex source, VertexKind kind) const {
        return listed([&](uint32_t capacity, uint32_t* out, uint32_t* count) {
            return qiao_topology_query_nearest(get(), source, static_cast<qiao_vertex_kind>(kind), capacity, out, count);
        });
    }
    /// The host's CPUs near a vertex. NotFoundError if none are known.
    std::vector<uint32_t> cpus(VertexIndex vertex) const {
        return listed([&](uint32_t capacity, uint32_t* out, uint32_t* count) {
            return qiao_topology_query_cpus(get(), vertex, capacity, out, count);
        });
    }
    /// The calling thread runs on the CPUs near the vertex from now on.
    void bind_thread(VertexIndex vertex) const { check(qiao_topology_bind_thread(get(), vertex)); }
    /// Zeroed host memory near the vertex.
    NearMemory allocate(VertexIndex vertex, uint64_t size_bytes) const {
        void* pointer = nullptr;
        check(qiao_topology_allocate(get(), vertex, size_bytes, &pointer));
        return NearMemory(pointer, size_bytes);
    }

    std::vector<qiao_topology_provider> providers() const {
        std::vector<qiao_topology_provider> all(properties().provider_count);
        for (uint32_t index = 0; index < all.size(); ++index) {
            all[index] = QIAO_TOPOLOGY_PROVIDER_INIT;
            check(qiao_topology_query_provider(get(), index, &all[index]));
        }
        return all;
    }
    /// What was strange. They live as long as the topology.
    std::vector<const char*> notes() const {
        std::vector<const char*> all(properties().note_count);
        for (uint32_t index = 0; index < all.size(); ++index)
            check(qiao_topology_query_note(get(), index, &all[index]));
        return all;
    }

  private:
    explicit Topology(qiao_topology* owned) noexcept : Owner(owned) {}
    static qiao_topology* create(const Instance& instance, const TopologyOptions& options) {
        qiao_topology_desc desc = QIAO_TOPOLOGY_DESC_INIT;
        desc.sysfs_root = options.sysfs_root;
        desc.providers = options.providers;
        qiao_topology* made = nullptr;
        check(qiao_topology_create(instance.get(), &desc, &made));
        return made;
    }
    /// Asks how many there are, then for all of them: a topology does not change in between.
    template <class Ask>
    static std::vector<uint32_t> listed(Ask ask) {
        uint32_t count = 0;
        check(ask(0, nullptr, &count));
        std::vector<uint32_t> all(count);
        check(ask(count, all.data(), &count));
        return all;
    }
};

} // namespace v0
} // namespace qiao

#endif
