/* The programs of a card whose memory and code are the host's, as a simulator's may be: it takes the format host-elf
 * (hal/docs/packages.md), so everything that Qiao compiles runs on it. Stands in the place of the tutorial's program.c. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tutorial.h"

enum { max_arguments = QIAO_MAX_ARGUMENTS + 16 };

/* The layout that PoCL 3.1 gives it. */
typedef struct group_context {
    uint64_t group_count[3], global_offset[3], group_size[3];
    unsigned char* printf_buffer;
    uint32_t* printf_position;
    uint32_t printf_capacity, dimensions;
} group_context;

typedef void (*group_function)(void** arguments, group_context* context, uint64_t x, uint64_t y, uint64_t z);

typedef struct host_kernel {
    struct host_kernel* next;
    const qiao_plugin_kernel_desc* desc;
    group_function run;
} host_kernel;

typedef struct host_program {
    tutorial_device* device;
    int file;
    void* library;
    host_kernel* kernels;
} host_program;

static void tutorial_program_unload(void* device, void* program_) {
    host_program* program = program_;
    (void)device;
    while (program->kernels != NULL) {
        host_kernel* kernel = program->kernels;
        program->kernels = kernel->next;
        free(kernel);
    }
    if (program->library != NULL) dlclose(program->library);
    if (program->file >= 0) close(program->file);
    free(program);
}

static qiao_status tutorial_program_load(void* device, const qiao_plugin_program_desc* desc, void** out_program) {
    host_program* program = calloc(1, sizeof(host_program));
    char path[64];
    if (program == NULL) return QIAO_ERROR_OUT_OF_MEMORY;
    program->device = device;
    program->file = memfd_create("program", MFD_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", program->file);
    if (program->file >= 0 && write(program->file, desc->data, desc->size_bytes) == (ssize_t)desc->size_bytes)
        program->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (program->library == NULL) {
        tutorial_program_unload(device, program);
        return tutorial_fail(((tutorial_device*)device)->plugin, QIAO_ERROR_BUILD, "the program cannot be loaded",
                             "use a host-elf variant for this processor");
    }
    *out_program = program;
    return QIAO_OK;
}

static qiao_status tutorial_kernel_find(void* program_, const qiao_plugin_kernel_desc* desc, qiao_plugin_kernel* out_kernel) {
    host_program* program = program_;
    host_kernel* kernel = calloc(1, sizeof(host_kernel));
    char symbol[256];
    if (kernel == NULL) return QIAO_ERROR_OUT_OF_MEMORY;
    snprintf(symbol, sizeof(symbol), "_pocl_kernel_%s_workgroup", desc->name);
    kernel->desc = desc;
    kernel->next = program->kernels;
    program->kernels = kernel;
    *(void**)&kernel->run = dlsym(program->library, symbol);
    if (kernel->run == NULL)
        return tutorial_fail(program->device->plugin, QIAO_ERROR_NOT_FOUND, "the program has no such kernel", "check its name");
    out_kernel->kernel = kernel;
    out_kernel->flags = QIAO_PLUGIN_KERNEL_GLOBAL_OFFSET;
    return QIAO_OK;
}

/* The arguments lie in the block; pointers to local memory are made here, each part aligned for any vector. */
static qiao_status tutorial_kernel_launch(void* device_, void* kernel_, const qiao_plugin_geometry* geometry, const void* block_,
                                          const qiao_plugin_binding* bindings) {
    const host_kernel* kernel = kernel_;
    const qiao_plugin_kernel_desc* desc = kernel->desc;
    const char* locals = strstr(desc->vendor_metadata, "auto_local=");
    char* room = (char*)(((uintptr_t)((tutorial_device*)device_)->local + 127) / 128 * 128);
    char block[QIAO_MAX_ARGUMENT_BYTES] __attribute__((aligned(128)));
    void* arguments[max_arguments];
    void* local[max_arguments];
    uint32_t position = 0, count = desc->argument_count;
    group_context context = {{0}, {0}, {0}, NULL, &position, 0, geometry->dimensions};
    (void)bindings;
    memcpy(block, block_, desc->block_size);
    for (uint32_t i = 0; i < count; ++i) {
        const qiao_plugin_argument* argument = &desc->arguments[i];
        uint32_t bytes = 0;
        arguments[i] = block + argument->offset;
        if (argument->kind != QIAO_ARGUMENT_KIND_LOCAL) continue;
        memcpy(&bytes, arguments[i], sizeof(bytes));
        local[i] = room;
        arguments[i] = &local[i];
        room += (bytes + 127) / 128 * 128;
    }
    for (locals = locals == NULL ? "" : locals + strlen("auto_local"); (*locals == '=' || *locals == ',') && count < max_arguments; ++count) {
        char* end = NULL;
        local[count] = room;
        arguments[count] = &local[count];
        room += (strtoul(locals + 1, &end, 10) + 127) / 128 * 128;
        locals = end;
    }
    for (int axis = 0; axis < 3; ++axis) {
        context.group_count[axis] = geometry->group_count[axis];
        context.global_offset[axis] = geometry->global_offset[axis];
        context.group_size[axis] = geometry->group_size[axis];
    }
    for (uint64_t z = 0; z < context.group_count[2]; ++z)
        for (uint64_t y = 0; y < context.group_count[1]; ++y)
            for (uint64_t x = 0; x < context.group_count[0]; ++x) kernel->run(arguments, &context, x, y, z);
    return QIAO_OK;
}

const qiao_plugin_program_ops tutorial_program_ops = {
    .struct_size = sizeof(qiao_plugin_program_ops),
    .program_load = tutorial_program_load,
    .program_unload = tutorial_program_unload,
    .kernel_find = tutorial_kernel_find,
    .kernel_launch = tutorial_kernel_launch,
};
