/* How cards and host hang together: a graph whose vertices are NUMA nodes, packages, cards, switches and network ports, and whose
 * links are directed. A topology is a snapshot of it, made from what the system and the plugins say at that moment:
 *
 *   qiao_topology_create                        ask everybody
 *   qiao_topology_find_device, _find_vertex     the vertex of a card, by its handle or by an id ("numa:0", "pci:0000:01:00.0")
 *   qiao_topology_query_nearest                 the nearest NUMA node, the closest cards, the best network port
 *   qiao_topology_query_path                    the way between two vertices, and where it is narrowest
 *   qiao_topology_bind_thread, _allocate        this thread, and host memory, near a card
 *
 * What several sources say of one link is kept beside each other; where they contradict, the link says so. A topology never changes:
 * make another one to see what has happened since. All of this may be called from every thread. hal/docs/topology.md has the rules. */
#ifndef QIAO_LINK_H
#define QIAO_LINK_H

#include "qiao/device.h"
#include "qiao/link_types.h"

typedef struct qiao_topology qiao_topology;

/// No vertex, no parent, no such index.
#define QIAO_VERTEX_NONE UINT32_MAX

typedef struct qiao_topology_desc {
    size_t struct_size;
    const void* next;       /* no extension is defined yet: null */
    const char* sysfs_root; /* the folder that stands for /sys; null = QIAO_SYSFS_ROOT, else /sys */
    uint64_t flags;         /* none defined yet: 0 */
    uint32_t providers;     /* bit (1 << provider) for each that is asked; 0 = all */
    uint32_t reserved0;
} qiao_topology_desc;
#define QIAO_TOPOLOGY_DESC_INIT {sizeof(qiao_topology_desc), NULL, NULL, 0u, 0u, 0u}

/// A snapshot; `desc` may be null. Opens no device. What cannot be read is left out, and a note says so: it is no failure. Costs a few
/// milliseconds. INVALID_ARGUMENT for an unknown provider or flag.
QIAO_API qiao_status qiao_topology_create(qiao_instance* instance, const qiao_topology_desc* desc, qiao_topology** out_topology);
QIAO_API qiao_status qiao_topology_retain(qiao_topology* topology);
/// Null is ignored.
QIAO_API qiao_status qiao_topology_release(qiao_topology* topology);

typedef struct qiao_topology_properties {
    size_t struct_size;
    const void* next;
    uint32_t vertex_count;
    uint32_t link_count;  /* directed: a connection has two */
    uint32_t class_count; /* links of which all the same is known share a class */
    uint32_t note_count;
    uint32_t provider_count;
    uint32_t reserved0;
    uint64_t host_bytes; /* memory that the snapshot takes, about */
} qiao_topology_properties;
#define QIAO_TOPOLOGY_PROPERTIES_INIT {sizeof(qiao_topology_properties), NULL, 0u, 0u, 0u, 0u, 0u, 0u, 0u}
QIAO_API qiao_status qiao_topology_query(qiao_topology* topology, qiao_topology_properties* out_properties);

/// A vertex. Strings live as long as the topology and are never null; they are as the system or the plugin wrote them.
typedef struct qiao_vertex {
    size_t struct_size;
    const void* next;
    const char* id;      /* "numa:0", "package:1", "pci:0000:01:00.0", "mock:3": unique */
    const char* name;    /* for people; "" = it has none */
    const char* cpus;    /* of a NUMA node, as Linux writes lists: "0-15,32-47" */
    qiao_device* device; /* the first device of the instance that this is; null = none */
    qiao_vertex_kind kind;
    qiao_topology_provider_id provider; /* who mentioned it first */
    uint32_t parent;                    /* the vertex that contains it; QIAO_VERTEX_NONE = none is known */
    uint32_t os_index;                  /* number of the NUMA node or package; QIAO_VERTEX_NONE = it has none */
    uint64_t flags;                     /* QIAO_TOPOLOGY_MODELLED */
    uint64_t memory_bytes;              /* QIAO_UNKNOWN */
    uint32_t pci_vendor_id, pci_device_id; /* 0 = not on PCI, or unknown */
} qiao_vertex;
#define QIAO_VERTEX_INIT {sizeof(qiao_vertex), NULL, NULL, NULL, NULL, NULL, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u}
/// Vertices and links are numbered from 0. OUT_OF_RANGE behind the last.
QIAO_API qiao_status qiao_topology_query_vertex(qiao_topology* topology, uint32_t vertex, qiao_vertex* out_vertex);
/// By its id, or by the id of a device that it is. NOT_FOUND.
QIAO_API qiao_status qiao_topology_find_vertex(qiao_topology* topology, const char* id, uint32_t* out_vertex);
/// NOT_FOUND for a device of another instance.
QIAO_API qiao_status qiao_topology_find_device(qiao_topology* topology, qiao_device* device, uint32_t* out_vertex);
/// The NUMA node that a CPU of the host belongs to, by the number Linux gives it. NOT_FOUND.
QIAO_API qiao_status qiao_topology_find_cpu(qiao_topology* topology, uint32_t cpu, uint32_t* out_vertex);

#define QIAO_LINK_CONFLICT (UINT64_C(1) << 1) /* providers contradict each other: see `conflicts` */

typedef struct qiao_link {
    size_t struct_size;
    const void* next;
    uint32_t source, target; /* vertices */
    qiao_link_kind kind;
    uint32_t claim_count;
    uint64_t flags;     /* QIAO_TOPOLOGY_MODELLED, QIAO_LINK_CONFLICT */
    uint64_t conflicts; /* bit (1 << attribute) for each that providers disagree about */
    uint32_t link_class; /* links of one class have kind, flags and claims in common */
    uint32_t reserved0;
} qiao_link;
#define QIAO_LINK_INIT {sizeof(qiao_link), NULL, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u}
QIAO_API qiao_status qiao_topology_query_link(qiao_topology* topology, uint32_t link, qiao_link* out_link);
/// Claim `index` of those there are about the link, by attribute; of one attribute the most trusted first. NOT_FOUND behind the last.
QIAO_API qiao_status qiao_topology_query_claim(qiao_topology* topology, uint32_t link, uint32_t index, qiao_link_claim* out_claim);
/// The most trusted claim about an attribute. NOT_FOUND if it is unknown.
QIAO_API qiao_status qiao_topology_get_attribute(qiao_topology* topology, uint32_t link, qiao_link_attribute attribute,
                                                 qiao_link_claim* out_claim);
/// The links that leave a vertex. `*out_count` is always the number there are; at most `capacity` are written.
QIAO_API qiao_status qiao_topology_enumerate_links(qiao_topology* topology, uint32_t vertex, uint32_t capacity, uint32_t* out_links,
                                                   uint32_t* out_count);

/// How far two vertices are from each other, nearest first; in the order of the ladder that vendors' tools share.
typedef uint32_t qiao_distance;
#define QIAO_DISTANCE_SAME 0u
#define QIAO_DISTANCE_DIRECT 1u       /* one link of a fabric between cards, or card and CPU */
#define QIAO_DISTANCE_FABRIC 2u       /* switches of such a fabric */
#define QIAO_DISTANCE_PCIE_SWITCH 3u  /* at most one PCIe switch: PIX */
#define QIAO_DISTANCE_PCIE_SWITCHES 4u /* several: PXB */
#define QIAO_DISTANCE_HOST_BRIDGE 5u  /* a host bridge: PHB */
#define QIAO_DISTANCE_NUMA_NODE 6u    /* host bridges of one NUMA node: NODE */
#define QIAO_DISTANCE_SYSTEM 7u       /* the connection between NUMA nodes: SYS */
#define QIAO_DISTANCE_NETWORK 8u      /* a network */
#define QIAO_DISTANCE_NONE 9u         /* no way is known */

/// The way between two vertices: the one of fewest links, of those the widest. Links that are down are not used, and cards pass
/// nothing on.
typedef struct qiao_path {
    size_t struct_size;
    const void* next;
    uint32_t link_count;
    qiao_distance distance;
    uint32_t bottleneck;  /* the narrowest link whose bandwidth is known; QIAO_VERTEX_NONE = of none */
    uint32_t alternatives; /* ways as short and as wide, this one among them; 0 = there is none */
    uint64_t bandwidth;    /* bytes per second, of the bottleneck; QIAO_UNKNOWN = of no link */
    uint64_t latency_ns;   /* the sum over the links; QIAO_UNKNOWN unless that of every link is known */
    uint32_t unknown_bandwidths; /* links whose bandwidth is unknown: any of them may be narrower */
    uint32_t reserved0;
} qiao_path;
#define QIAO_PATH_INIT {sizeof(qiao_path), NULL, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u}
/// Writes at most `capacity` of the path's links, in their order; `out_links` may be null if `capacity` is 0. QIAO_OK with distance
/// NONE if there is no way. Asking for many targets of one source in a row costs one search in all.
QIAO_API qiao_status qiao_topology_query_path(qiao_topology* topology, uint32_t source, uint32_t target, uint32_t capacity,
                                              uint32_t* out_links, qiao_path* out_path);
/// The vertices of a kind that are reached from `source`, nearest first (fewer links, then wider); `source` itself is not among
/// them. `*out_count` is always the number there are; at most `capacity` are written.
QIAO_API qiao_status qiao_topology_query_nearest(qiao_topology* topology, uint32_t source, qiao_vertex_kind kind, uint32_t capacity,
                                                 uint32_t* out_vertices, uint32_t* out_count);

/// The host's CPUs that are nearest to a vertex: those of the nearest NUMA nodes that have any. NOT_FOUND if no such node is known.
QIAO_API qiao_status qiao_topology_query_cpus(qiao_topology* topology, uint32_t vertex, uint32_t capacity, uint32_t* out_cpus,
                                              uint32_t* out_count);
/// From now on the calling thread runs on those of them that it may run on. NOT_FOUND if none are known, UNSUPPORTED if it may run on
/// none of them, or for a vertex of a model; nothing is changed then.
QIAO_API qiao_status qiao_topology_bind_thread(qiao_topology* topology, uint32_t vertex);
/// Zeroed host memory on the nearest NUMA node, or, if that is full, as near as there is: for copies, and for qiao_memory_import_host.
/// Sizes are rounded up to pages. NOT_FOUND, UNSUPPORTED as above.
QIAO_API qiao_status qiao_topology_allocate(qiao_topology* topology, uint32_t vertex, uint64_t size_bytes, void** out_pointer);
/// Gives it back, with the size it was asked for. Null is ignored.
QIAO_API qiao_status qiao_topology_free(void* pointer, uint64_t size_bytes);

typedef uint32_t qiao_provider_state;
#define QIAO_PROVIDER_STATE_USED 1u
#define QIAO_PROVIDER_STATE_ABSENT 2u /* there is nothing of the kind here; `text` says what was looked for */
#define QIAO_PROVIDER_STATE_FAILED 3u /* it is there, and nothing could be read */
#define QIAO_PROVIDER_STATE_SKIPPED 4u /* it was not asked */

typedef struct qiao_topology_provider {
    size_t struct_size;
    const void* next;
    qiao_topology_provider_id provider;
    qiao_provider_state state;
    uint32_t vertex_count; /* that it was the first to mention */
    uint32_t claim_count;
    const char* text;
} qiao_topology_provider;
#define QIAO_TOPOLOGY_PROVIDER_INIT {sizeof(qiao_topology_provider), NULL, 0u, 0u, 0u, 0u, NULL}
/// NOT_FOUND behind the last.
QIAO_API qiao_status qiao_topology_query_provider(qiao_topology* topology, uint32_t index, qiao_topology_provider* out_provider);
/// What was strange: files that could not be read, values that make no sense, providers that contradict each other. NOT_FOUND behind
/// the last.
QIAO_API qiao_status qiao_topology_query_note(qiao_topology* topology, uint32_t index, const char** out_text);

typedef uint32_t qiao_topology_list;
#define QIAO_TOPOLOGY_LIST_VERTEX_KIND 1u
#define QIAO_TOPOLOGY_LIST_LINK_KIND 2u
#define QIAO_TOPOLOGY_LIST_ATTRIBUTE 3u
#define QIAO_TOPOLOGY_LIST_UNIT 4u /* of an attribute, in UCUM; "" = a plain number */
#define QIAO_TOPOLOGY_LIST_PROVIDER 5u
#define QIAO_TOPOLOGY_LIST_STATE 6u
#define QIAO_TOPOLOGY_LIST_DISTANCE 7u
#define QIAO_TOPOLOGY_LIST_GRADE 8u
#define QIAO_TOPOLOGY_LIST_PROVIDER_STATE 9u
/// The name of a number of a list, as `qiao topo` writes it: "card", "HSL", "bandwidth", "By/s". Null if it has none.
QIAO_API const char* qiao_topology_get_name(qiao_topology_list list, uint32_t number);

#endif
