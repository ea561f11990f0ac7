/* Memory of the device: host memory, its address the device address. */
#include <stdlib.h>
#include <string.h>

#include "tutorial.h"

typedef struct tutorial_allocation {
    char* bytes;
    uint64_t size_bytes;
} tutorial_allocation;

static qiao_status tutorial_memory_allocate(void* device_, const qiao_plugin_memory_desc* desc,
                                            qiao_plugin_allocation* out_allocation) {
    tutorial_device* device = device_;
    const qiao_host_api* host = device->plugin->host;
    tutorial_allocation* allocation = NULL;
    if (desc->size_bytes > TUTORIAL_MEMORY_BYTES - device->used_bytes) {
        return tutorial_fail(device->plugin, QIAO_ERROR_OUT_OF_MEMORY, "the device's 64 MiB are in use", "free something");
    }
    allocation = calloc(1, sizeof(tutorial_allocation));
    if (allocation == NULL) return QIAO_ERROR_OUT_OF_MEMORY;
    allocation->bytes = host->allocate(host->host, desc->size_bytes, desc->alignment);
    if (allocation->bytes == NULL) {
        free(allocation);
        return QIAO_ERROR_OUT_OF_MEMORY;
    }
    allocation->size_bytes = desc->size_bytes;
    device->used_bytes += desc->size_bytes;
    out_allocation->allocation = allocation;
    out_allocation->address = (uint64_t)(uintptr_t)allocation->bytes;
    out_allocation->size_bytes = desc->size_bytes;
    return QIAO_OK;
}

static void tutorial_memory_free(void* device_, void* allocation_) {
    tutorial_device* device = device_;
    tutorial_allocation* allocation = allocation_;
    device->used_bytes -= allocation->size_bytes;
    device->plugin->host->release(device->plugin->host->host, allocation->bytes);
    free(allocation);
}

static qiao_status tutorial_memory_write(void* device, void* allocation, uint64_t offset, const void* source,
                                         uint64_t size_bytes) {
    (void)device;
    memcpy(((tutorial_allocation*)allocation)->bytes + offset, source, size_bytes);
    return QIAO_OK;
}

static qiao_status tutorial_memory_read(void* device, void* allocation, uint64_t offset, void* target,
                                        uint64_t size_bytes) {
    (void)device;
    memcpy(target, ((tutorial_allocation*)allocation)->bytes + offset, size_bytes);
    return QIAO_OK;
}

const qiao_plugin_memory_ops tutorial_memory_ops = {
    .struct_size = sizeof(qiao_plugin_memory_ops),
    .memory_allocate = tutorial_memory_allocate,
    .memory_free = tutorial_memory_free,
    .memory_write = tutorial_memory_write,
    .memory_read = tutorial_memory_read,
};
