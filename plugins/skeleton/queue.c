/* Queues: work that is submitted and goes on by itself. None of this is needed: without the table in plugin.c the core runs
 * queues over kernel_launch, memory_write and memory_read. The six functions come together. */
#include "skeleton.h"

static qiao_status skeleton_queue_create(void* device, const qiao_plugin_queue_desc* desc, void** out_queue) {
    (void)desc;
    (void)out_queue;
    return skeleton_unsupported(((skeleton_device*)device)->plugin, "queue_create");
}

static void skeleton_queue_destroy(void* queue) {
    (void)queue;
}

static qiao_status skeleton_queue_launch(void* queue, void* kernel, const qiao_plugin_geometry* geometry,
                                         const void* block, const qiao_plugin_binding* bindings, uint64_t value) {
    (void)kernel;
    (void)geometry;
    (void)block;
    (void)bindings;
    (void)value;
    return skeleton_unsupported(((skeleton_queue*)queue)->device->plugin, "queue_launch");
}

static qiao_status skeleton_queue_copy(void* queue, const qiao_plugin_copy* copy) {
    (void)copy;
    return skeleton_unsupported(((skeleton_queue*)queue)->device->plugin, "queue_copy");
}

static qiao_status skeleton_queue_mark(void* queue, uint64_t value) {
    (void)value;
    return skeleton_unsupported(((skeleton_queue*)queue)->device->plugin, "queue_mark");
}

static qiao_status skeleton_queue_poll(void* queue, uint64_t* out_value) {
    (void)out_value;
    return skeleton_unsupported(((skeleton_queue*)queue)->device->plugin, "queue_poll");
}

/* Further slots, each by itself: queue_wait, queue_fill, queue_after, queue_notify, queue_timestamps, queue_native,
 * queue_wrap, queue_can_copy, queue_prefetch. */
const qiao_plugin_queue_ops skeleton_queue_ops = {
    .struct_size = sizeof(qiao_plugin_queue_ops),
    .queue_create = skeleton_queue_create,
    .queue_destroy = skeleton_queue_destroy,
    .queue_launch = skeleton_queue_launch,
    .queue_copy = skeleton_queue_copy,
    .queue_mark = skeleton_queue_mark,
    .queue_poll = skeleton_queue_poll,
};
