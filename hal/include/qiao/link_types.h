/* The vocabulary of the interconnect, shared by applications (link.h) and plugins (plugin.h): what hangs together, by what
 * kind of link, and what can be known of one. Every attribute may be unknown: then nobody has said it, and nothing is guessed. */
#ifndef QIAO_LINK_TYPES_H
#define QIAO_LINK_TYPES_H

#include "qiao/types.h"

/// A quantity that nobody has told.
#define QIAO_UNKNOWN UINT64_MAX

typedef uint32_t qiao_vertex_kind;
#define QIAO_VERTEX_KIND_NUMA_NODE 1u /* memory of the host, with the CPUs that are nearest to it */
#define QIAO_VERTEX_KIND_PACKAGE 2u   /* a socket: a CPU as it is bought */
#define QIAO_VERTEX_KIND_CARD 3u
#define QIAO_VERTEX_KIND_PARTITION 4u /* of a card */
#define QIAO_VERTEX_KIND_SWITCH 5u    /* of PCIe, of a fabric, or a network that nothing more is known of */
#define QIAO_VERTEX_KIND_PORT 6u      /* into a network */
#define QIAO_VERTEX_KIND_BRIDGE 7u    /* a host bridge: where a PCI tree begins */
#define QIAO_VERTEX_KIND_MEMORY 8u    /* memory on a link of its own (CXL) */
#define QIAO_VERTEX_KIND_GROUP 9u     /* no part, but what contains some: node, chassis, cabinet */

typedef uint32_t qiao_link_kind;
#define QIAO_LINK_KIND_UNKNOWN 0u
#define QIAO_LINK_KIND_PCIE 1u
#define QIAO_LINK_KIND_CXL 2u
#define QIAO_LINK_KIND_XGMI 3u
#define QIAO_LINK_KIND_HSL 4u
#define QIAO_LINK_KIND_UB 5u
#define QIAO_LINK_KIND_NVLINK 6u
#define QIAO_LINK_KIND_UALINK 7u
#define QIAO_LINK_KIND_NETWORK 8u  /* InfiniBand, Ethernet and the like */
#define QIAO_LINK_KIND_SOCKET 9u   /* between packages */
#define QIAO_LINK_KIND_MEMORY 10u  /* a CPU's own memory controllers */
#define QIAO_LINK_KIND_INTERNAL 11u /* inside one package or board, of a kind that has no name */

/// What can be known of a link. Numbers count from its source to its target. hal/docs/topology.md has units and sources.
typedef uint32_t qiao_link_attribute;
#define QIAO_LINK_ATTRIBUTE_GENERATION 1u
#define QIAO_LINK_ATTRIBUTE_LANES 2u
#define QIAO_LINK_ATTRIBUTE_LANES_MAX 3u       /* what both ends could do */
#define QIAO_LINK_ATTRIBUTE_RATE 4u            /* transfers per second and lane */
#define QIAO_LINK_ATTRIBUTE_RATE_MAX 5u
#define QIAO_LINK_ATTRIBUTE_BANDWIDTH 6u       /* bytes per second, of the link as it is now */
#define QIAO_LINK_ATTRIBUTE_BANDWIDTH_LEAST 7u
#define QIAO_LINK_ATTRIBUTE_LATENCY 8u         /* nanoseconds, at best */
#define QIAO_LINK_ATTRIBUTE_LATENCY_MOST 9u
#define QIAO_LINK_ATTRIBUTE_HOPS 10u           /* switches that it stands for */
#define QIAO_LINK_ATTRIBUTE_WEIGHT 11u         /* the firmware's own measure of distance */
#define QIAO_LINK_ATTRIBUTE_FABRIC 12u         /* id of the hive or fabric it is part of */
#define QIAO_LINK_ATTRIBUTE_SEMANTICS 13u      /* QIAO_LINK_SEMANTIC_ bits */
#define QIAO_LINK_ATTRIBUTE_COHERENCE 14u      /* a QIAO_LINK_COHERENCE_ */
#define QIAO_LINK_ATTRIBUTE_COHERENCE_GRANULE 15u /* bytes */
#define QIAO_LINK_ATTRIBUTE_COHERENCE_DOMAIN 16u
#define QIAO_LINK_ATTRIBUTE_TRANSLATION 17u    /* QIAO_LINK_TRANSLATION_ bits */
#define QIAO_LINK_ATTRIBUTE_PASID_BITS 18u
#define QIAO_LINK_ATTRIBUTE_ORDERING 19u       /* a QIAO_LINK_ORDERING_ */
#define QIAO_LINK_ATTRIBUTE_PEER_ACCESS 20u    /* a QIAO_LINK_PEER_ */
#define QIAO_LINK_ATTRIBUTE_STATE 21u          /* a QIAO_LINK_STATE_ */
#define QIAO_LINK_ATTRIBUTE_SWITCH_STATE 22u   /* as Hygon's driver writes it; its meaning is not published */
#define QIAO_LINK_ATTRIBUTE_TRANSFER_BYTES 23u /* that the driver recommends for one transfer */
/* Counters of errors since COUNTER_EPOCH, a number that changes when they begin anew. */
#define QIAO_LINK_ATTRIBUTE_ERRORS_CORRECTABLE 24u
#define QIAO_LINK_ATTRIBUTE_ERRORS_NONFATAL 25u
#define QIAO_LINK_ATTRIBUTE_ERRORS_FATAL 26u
#define QIAO_LINK_ATTRIBUTE_PARTNER_ERRORS_CORRECTABLE 27u /* the same as the other end (a root port, a switch) counts them */
#define QIAO_LINK_ATTRIBUTE_PARTNER_ERRORS_NONFATAL 28u
#define QIAO_LINK_ATTRIBUTE_PARTNER_ERRORS_FATAL 29u
#define QIAO_LINK_ATTRIBUTE_ERRORS_REPLAY 30u
#define QIAO_LINK_ATTRIBUTE_ERRORS_RECOVERY 31u
#define QIAO_LINK_ATTRIBUTE_ERRORS_CRC 32u
#define QIAO_LINK_ATTRIBUTE_ERRORS_DOWN 33u /* times that the link was lost */
#define QIAO_LINK_ATTRIBUTE_COUNTER_EPOCH 34u
#define QIAO_LINK_ATTRIBUTE_COUNT 35u /* one above the last that this version knows */

#define QIAO_LINK_SEMANTIC_LOAD_STORE (UINT64_C(1) << 0) /* the source reads and writes the target's memory by instructions */
#define QIAO_LINK_SEMANTIC_DMA (UINT64_C(1) << 1)
#define QIAO_LINK_SEMANTIC_MESSAGE (UINT64_C(1) << 2)
#define QIAO_LINK_SEMANTIC_ATOMIC_32 (UINT64_C(1) << 3)
#define QIAO_LINK_SEMANTIC_ATOMIC_64 (UINT64_C(1) << 4)
#define QIAO_LINK_SEMANTIC_ATOMIC_128 (UINT64_C(1) << 5)
#define QIAO_LINK_SEMANTIC_DOORBELL (UINT64_C(1) << 6)

#define QIAO_LINK_COHERENCE_NONE 0u
#define QIAO_LINK_COHERENCE_IO 1u   /* the device sees what the host's caches have */
#define QIAO_LINK_COHERENCE_HOST 2u /* the host may cache the device's memory */
#define QIAO_LINK_COHERENCE_FULL 3u

#define QIAO_LINK_TRANSLATION_ATS (UINT64_C(1) << 0)
#define QIAO_LINK_TRANSLATION_PRI (UINT64_C(1) << 1)
#define QIAO_LINK_TRANSLATION_PASID (UINT64_C(1) << 2)

#define QIAO_LINK_ORDERING_RELAXED 0u
#define QIAO_LINK_ORDERING_STRICT 1u /* within a flow */

#define QIAO_LINK_PEER_NONE 0u
#define QIAO_LINK_PEER_STAGED 1u
#define QIAO_LINK_PEER_DIRECT 2u

#define QIAO_LINK_STATE_UP 1u
#define QIAO_LINK_STATE_DEGRADED 2u /* fewer lanes than both ends have */
#define QIAO_LINK_STATE_DOWN 3u
#define QIAO_LINK_STATE_TRAINING 4u
#define QIAO_LINK_STATE_DISABLED 5u

/// What a number rests on, best first; 0 = nothing was said, as of what drivers and firmware report.
typedef uint32_t qiao_grade;
#define QIAO_GRADE_VERIFIED 1u    /* read in public source, or measured */
#define QIAO_GRADE_SECOND_HAND 2u /* quoted by somebody else */
#define QIAO_GRADE_INFERRED 3u    /* computed from other facts */
#define QIAO_GRADE_REMEMBERED 4u  /* a lead only */
#define QIAO_GRADE_ASSUMED 5u     /* chosen: says nothing of any real card */

/// Who says something: where the evidence is from. Also bits of a set: (1 << provider).
typedef uint32_t qiao_topology_provider_id;
#define QIAO_TOPOLOGY_PROVIDER_PLUGIN 1u     /* the card's plugin, or its device properties */
#define QIAO_TOPOLOGY_PROVIDER_PCI 2u        /* bus/pci */
#define QIAO_TOPOLOGY_PROVIDER_KFD 3u        /* class/kfd: cards of AMD and Hygon */
#define QIAO_TOPOLOGY_PROVIDER_NUMA 4u       /* devices/system/node, with the firmware's HMAT, and devices/system/cpu */
#define QIAO_TOPOLOGY_PROVIDER_CXL 5u        /* bus/cxl */
#define QIAO_TOPOLOGY_PROVIDER_INFINIBAND 6u /* class/infiniband */
#define QIAO_TOPOLOGY_PROVIDER_HWLOC 7u      /* libhwloc, if it is installed */
#define QIAO_TOPOLOGY_PROVIDER_LIBDRM 8u     /* libdrm, if it is installed */

/// One statement about a link. Frozen, 24 bytes.
typedef struct qiao_link_claim {
    qiao_link_attribute attribute;
    qiao_topology_provider_id provider; /* of a plugin's own claims: 0 */
    uint64_t value;
    qiao_grade grade;
    uint32_t reserved0;
} qiao_link_claim;
#define QIAO_LINK_CLAIM_INIT {0u, 0u, 0u, 0u, 0u}

/// Numbers are a model's: no hardware was asked. Of vertices and links.
#define QIAO_TOPOLOGY_MODELLED (UINT64_C(1) << 0)

#endif
