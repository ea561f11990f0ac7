/* Pools: memory for programs that allocate and free while work is queued. A pool takes segments from its device and serves
 * allocations from them; what is freed is used again, in the order of the queues, without a call into the card's driver.
 * What a pool gives is a plain device address: launches, copies and fills take it like any other. */
#ifndef QIAO_POOL_H
#define QIAO_POOL_H

#include "qiao/queue.h"

typedef struct qiao_pool qiao_pool;

typedef struct qiao_pool_desc {
    size_t struct_size;
    const void* next;              /* no extension is defined yet: null */
    uint64_t reserve_limit_bytes;  /* most that it takes from the device; 0 = no limit */
    uint64_t idle_limit_bytes;     /* most that it keeps in unused segments; 0 = no limit, 1 = keeps none */
    uint64_t largest_shared_bytes; /* larger allocations have a segment of their own; 0 = 1 MiB, at most 1 GiB */
    uint64_t alignment;            /* of every address: a power of two from 256 to 2 MiB; 0 = 256 */
    uint64_t flags;                /* none defined yet: 0 */
    qiao_memory_kind kind;         /* 0 = QIAO_MEMORY_KIND_DEVICE */
    uint32_t reserved0;
} qiao_pool_desc;
#define QIAO_POOL_DESC_INIT {sizeof(qiao_pool_desc), NULL, 0u, 0u, 0u, 0u, 0u, 0u, 0u}

/// An empty pool; memory is taken from the device when it is first needed. `desc` may be null.
QIAO_API qiao_status qiao_pool_create(qiao_device* device, const qiao_pool_desc* desc, qiao_pool** out_pool);
QIAO_API qiao_status qiao_pool_retain(qiao_pool* pool);
/// Never waits: the last release gives back all memory, that of allocations which were not freed too, once the work that
/// was submitted before has ended. Null is ignored.
QIAO_API qiao_status qiao_pool_release(qiao_pool* pool);

/// Memory for work that is submitted to `queue`, of any device, from now on; with a null queue, for anybody, at once.
/// Other queues must be ordered behind `queue` first (qiao_queue_after). Contents are undefined. Waits, 10 s at most, only
/// if there is no memory left otherwise. Fails with OUT_OF_MEMORY if the device or the limit has no room, OUT_OF_RANGE for
/// a size of 0 or above the device's limit, CANCELLED for a queue that has failed. Steady state: no allocation on the
/// host, no system call, one uncontended lock.
QIAO_API qiao_status qiao_pool_allocate(qiao_pool* pool, qiao_queue* queue, uint64_t size_bytes, uint64_t* out_address);
/// Returns at once, also while work uses the memory. Work that is submitted to `queue` later may get it at once; others get
/// it when all that was submitted to `queue` so far has ended. Null queue: no work uses it any more, anybody may get it.
/// Work of other queues that uses it must have ended, or `queue` must be ordered behind it. Fails with NOT_FOUND for an
/// address that is not of the pool, INVALID_ARGUMENT for one inside an allocation or freed already; nothing is changed
/// then. Address 0 is ignored.
QIAO_API qiao_status qiao_pool_free(qiao_pool* pool, uint64_t address, qiao_queue* queue);

/// Gives segments without an allocation back to the device until at most `keep_bytes` are reserved. Never waits: the device
/// has the memory again when the work that used it has ended.
QIAO_API qiao_status qiao_pool_trim(qiao_pool* pool, uint64_t keep_bytes);

typedef struct qiao_pool_statistics {
    size_t struct_size;
    const void* next;
    uint64_t reserved_bytes;      /* taken from the device */
    uint64_t reserved_peak_bytes; /* most so far, or since the peaks were reset */
    uint64_t used_bytes;          /* in allocations, their rounding included */
    uint64_t used_peak_bytes;
    uint64_t requested_bytes;       /* in allocations, as asked for */
    uint64_t pending_bytes;         /* free, but behind work that had not ended when it was last asked */
    uint64_t largest_free_bytes;    /* the largest piece that is free */
    uint64_t allocation_count;      /* alive */
    uint64_t allocated_count;       /* so far */
    uint64_t reused_count;          /* of those so far: needed nothing from the device */
    uint64_t reused_in_order_count; /* of those reused: memory that work of the same queue may still have been using */
    uint64_t segment_count;
    double fragmentation; /* 1 - largest free piece / all that is free; 0 if nothing is */
} qiao_pool_statistics;
#define QIAO_POOL_STATISTICS_INIT {sizeof(qiao_pool_statistics), NULL, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0.0}

/// One moment of the pool. Costs more than an allocation: pieces that threads keep at hand are put together first.
QIAO_API qiao_status qiao_pool_query(qiao_pool* pool, qiao_pool_statistics* out_statistics);
/// The peaks begin again at what is reserved and used now.
QIAO_API qiao_status qiao_pool_reset_peaks(qiao_pool* pool);

#endif
