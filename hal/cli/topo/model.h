/* A topology as `qiao topo` shows it: read once, with what all of its forms need. */
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/devices.h"
#include "qiao/link.h"

namespace qiao::cli {

using Topology = std::unique_ptr<qiao_topology, Releaser<qiao_topology, qiao_topology_release>>;

inline constexpr uint32_t kNoVertex = QIAO_VERTEX_NONE;

struct TopoVertex : qiao_vertex {
    TopoVertex() : qiao_vertex(QIAO_VERTEX_INIT) {}
    std::vector<uint32_t> children; /* those it contains */
    std::vector<uint32_t> links;    /* that leave it */
    /* What people call it: a device's id, else its own. */
    std::string label;
};

struct TopoLink : qiao_link {
    TopoLink() : qiao_link(QIAO_LINK_INIT) {}
};

/* What is known of links of one class. */
struct TopoClass {
    qiao_link_kind kind = QIAO_LINK_KIND_UNKNOWN;
    uint64_t flags = 0, conflicts = 0;
    std::vector<qiao_link_claim> claims;

    /* QIAO_UNKNOWN if nobody says. */
    uint64_t value(qiao_link_attribute attribute) const;
    /* "PCIe 4 x8 of x16", "HSL": what it is, in one or two words. */
    std::string title() const;
    /* The same with bandwidth, latency and state as far as they are known. */
    std::string summary() const;
    uint64_t state() const { return value(QIAO_LINK_ATTRIBUTE_STATE); }
    /* That the end of the link which has seen more of them has counted. */
    uint64_t errors() const;
};

struct TopoPath : qiao_path {
    TopoPath() : qiao_path(QIAO_PATH_INIT) {}
    std::vector<uint32_t> links;
};

struct TopoModel {
    Topology handle;
    std::vector<TopoVertex> vertices;
    std::vector<TopoLink> links;
    std::vector<TopoClass> classes;
    std::vector<qiao_topology_provider> providers;
    std::vector<std::string> notes;

    const TopoClass& class_of(uint32_t link) const { return classes[links[link].link_class]; }
    TopoPath path(uint32_t source, uint32_t target) const;
    std::vector<uint32_t> nearest(uint32_t source, qiao_vertex_kind kind) const;
    std::vector<uint32_t> of_kind(qiao_vertex_kind kind) const;
    /* The vertices that contain it, outermost first. */
    std::vector<uint32_t> containers(uint32_t vertex) const;
    /* The worst state of its links; 0 = none is known. */
    uint64_t worst_state(uint32_t vertex) const;
};

struct TopoRequest {
    std::string sysfs_root; /* "" = the usual */
    uint32_t providers = 0; /* 0 = all */
};

TopoModel read_topology(qiao_instance* instance, const TopoRequest& request);

/* "X", "HSL", "HSL-SW", "PIX", "PXB", "PHB", "NODE", "SYS", "NET", "-": a way in the matrix. */
std::string path_label(const TopoModel& model, const TopoPath& path);
/* "31.5 GB/s": decimal, as links are sold. */
std::string rate_text(uint64_t bytes_per_s);

} // namespace qiao::cli
