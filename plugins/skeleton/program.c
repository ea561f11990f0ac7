/* Programs: loading a variant of a kernel package, finding kernels in it, launching them. */
#include "skeleton.h"

static qiao_status skeleton_program_load(void* device, const qiao_plugin_program_desc* desc, void** out_program) {
    (void)desc;
    (void)out_program;
    return skeleton_unsupported(((skeleton_device*)device)->plugin, "program_load");
}

static void skeleton_program_unload(void* device, void* program) {
    (void)device;
    (void)program;
}

static qiao_status skeleton_kernel_find(void* program, const qiao_plugin_kernel_desc* desc, qiao_plugin_kernel* out_kernel) {
    (void)desc;
    (void)out_kernel;
    return skeleton_unsupported(((skeleton_program*)program)->device->plugin, "kernel_find");
}

static qiao_status skeleton_kernel_launch(void* device, void* kernel, const qiao_plugin_geometry* geometry,
                                          const void* block, const qiao_plugin_binding* bindings) {
    (void)kernel;
    (void)geometry;
    (void)block;
    (void)bindings;
    return skeleton_unsupported(((skeleton_device*)device)->plugin, "kernel_launch");
}

/* A further slot: program_score. */
const qiao_plugin_program_ops skeleton_program_ops = {
    .struct_size = sizeof(qiao_plugin_program_ops),
    .program_load = skeleton_program_load,
    .program_unload = skeleton_program_unload,
    .kernel_find = skeleton_kernel_find,
    .kernel_launch = skeleton_kernel_launch,
};
