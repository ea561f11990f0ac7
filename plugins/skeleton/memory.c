/* Memory of a device: allocations and blocking copies. Sizes, ranges and handles have been checked by the core. */
#include "skeleton.h"

static qiao_status skeleton_memory_allocate(void* device, const qiao_plugin_memory_desc* desc,
                                            qiao_plugin_allocation* out_allocation) {
    (void)desc;
    (void)out_allocation;
    return skeleton_unsupported(((skeleton_device*)device)->plugin, "memory_allocate");
}

static void skeleton_memory_free(void* device, void* allocation) {
    (void)device;
    (void)allocation;
}

static qiao_status skeleton_memory_write(void* device, void* allocation, uint64_t offset, const void* source,
                                         uint64_t size_bytes) {
    (void)allocation;
    (void)offset;
    (void)source;
    (void)size_bytes;
    return skeleton_unsupported(((skeleton_device*)device)->plugin, "memory_write");
}

static qiao_status skeleton_memory_read(void* device, void* allocation, uint64_t offset, void* target,
                                        uint64_t size_bytes) {
    (void)allocation;
    (void)offset;
    (void)target;
    (void)size_bytes;
    return skeleton_unsupported(((skeleton_device*)device)->plugin, "memory_read");
}

/* Further slots, all optional: memory_map with memory_unmap, memory_native, memory_wrap, memory_evict with
 * memory_restore. */
const qiao_plugin_memory_ops skeleton_memory_ops = {
    .struct_size = sizeof(qiao_plugin_memory_ops),
    .memory_allocate = skeleton_memory_allocate,
    .memory_free = skeleton_memory_free,
    .memory_write = skeleton_memory_write,
    .memory_read = skeleton_memory_read,
};
