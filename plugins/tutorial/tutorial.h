/* A whole plugin for a plain device: its memory is host memory, its kernels are functions built in. */
#pragma once

#include "qiao/plugin.h"

#define TUTORIAL_MEMORY_BYTES (UINT64_C(64) << 20)
#define TUTORIAL_LOCAL_BYTES (16u << 10)

typedef struct tutorial_plugin {
    const qiao_host_api* host;
} tutorial_plugin;

typedef struct tutorial_device {
    tutorial_plugin* plugin;
    uint64_t used_bytes;
    uint64_t local[TUTORIAL_LOCAL_BYTES / 8]; /* of one group: they run one after the other */
} tutorial_device;

/* Does the work of one group, all its items. `local` is the group's local memory. */
typedef void (*tutorial_function)(const qiao_plugin_geometry* geometry, const uint32_t group[3], const void* block, void* local);

typedef struct tutorial_kernel {
    const char* name;
    uint32_t block_size; /* of the arguments that the function expects */
    tutorial_function run;
} tutorial_kernel;

extern const tutorial_kernel tutorial_kernels[]; /* ends with a null name */

qiao_status tutorial_fail(const tutorial_plugin* plugin, qiao_status status, const char* message, const char* remedy);

extern const qiao_plugin_device_ops tutorial_device_ops;
extern const qiao_plugin_memory_ops tutorial_memory_ops;
extern const qiao_plugin_program_ops tutorial_program_ops;
