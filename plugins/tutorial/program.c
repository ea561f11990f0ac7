/* Programs: text that names the built-in functions it needs, one a line. A card's plugin would load code here. */
#include <stdlib.h>
#include <string.h>

#include "tutorial.h"

typedef struct tutorial_program {
    tutorial_device* device;
    const char* text; /* the core keeps it until program_unload: no copy */
    const char* end;
} tutorial_program;

static qiao_status tutorial_program_load(void* device, const qiao_plugin_program_desc* desc, void** out_program) {
    tutorial_program* program = calloc(1, sizeof(tutorial_program));
    if (program == NULL) return QIAO_ERROR_OUT_OF_MEMORY;
    program->device = device;
    program->text = desc->data;
    program->end = program->text + desc->size_bytes;
    *out_program = program;
    return QIAO_OK;
}

static void tutorial_program_unload(void* device, void* program) {
    (void)device;
    free(program);
}

static int tutorial_program_names(const tutorial_program* program, const char* name) {
    const size_t size = strlen(name);
    for (const char* line = program->text; (size_t)(program->end - line) > size; ++line) {
        const int begins = line == program->text || line[-1] == '\n';
        if (begins && memcmp(line, name, size) == 0 && line[size] == '\n') return 1;
    }
    return 0;
}

static qiao_status tutorial_kernel_find(void* program_, const qiao_plugin_kernel_desc* desc, qiao_plugin_kernel* out_kernel) {
    const tutorial_program* program = program_;
    const tutorial_kernel* kernel = tutorial_kernels;
    while (kernel->name != NULL && strcmp(kernel->name, desc->name) != 0) ++kernel;
    if (kernel->name == NULL || kernel->block_size != desc->block_size || !tutorial_program_names(program, desc->name)) {
        return tutorial_fail(program->device->plugin, QIAO_ERROR_NOT_FOUND,
                             "the kernel is not built in, has other arguments there, or is not named by the program",
                             "kernels.c has those built in; a program of format tutorial-host names them, one a line");
    }
    out_kernel->kernel = (void*)(uintptr_t)kernel;
    return QIAO_OK;
}

static qiao_status tutorial_kernel_launch(void* device, void* kernel, const qiao_plugin_geometry* geometry,
                                          const void* block, const qiao_plugin_binding* bindings) {
    uint32_t group[3];
    (void)bindings; /* only for devices without addresses */
    for (group[2] = 0; group[2] < geometry->group_count[2]; ++group[2])
        for (group[1] = 0; group[1] < geometry->group_count[1]; ++group[1])
            for (group[0] = 0; group[0] < geometry->group_count[0]; ++group[0])
                ((const tutorial_kernel*)kernel)->run(geometry, group, block, ((tutorial_device*)device)->local);
    return QIAO_OK;
}

const qiao_plugin_program_ops tutorial_program_ops = {
    .struct_size = sizeof(qiao_plugin_program_ops),
    .program_load = tutorial_program_load,
    .program_unload = tutorial_program_unload,
    .kernel_find = tutorial_kernel_find,
    .kernel_launch = tutorial_kernel_launch,
};
