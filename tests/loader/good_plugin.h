/* The objects of the T0 fixture plugin, and what its built-in kernels are called with. */
#ifndef QIAO_TESTS_GOOD_PLUGIN_H
#define QIAO_TESTS_GOOD_PLUGIN_H

#include <stdbool.h>

#include "qiao/plugin.h"

typedef struct good_plugin {
    const qiao_host_api* host;
    uint64_t memory_bytes;
    uint32_t device_count;
    uint32_t hasty_ms;
    bool resolved, free_threaded;
    char id[64];
} good_plugin;

typedef struct good_device {
    good_plugin* plugin;
    uint64_t token;
    uint64_t used_bytes;
    uint64_t busy_until_ns;
    uint32_t questions; /* of device_synchronize since it last succeeded */
    uint32_t index;
} good_device;

typedef struct good_allocation {
    char* bytes;
    uint64_t size_bytes;
} good_allocation;

typedef struct good_launch {
    good_device* device;
    const qiao_plugin_kernel_desc* desc;
    const qiao_plugin_geometry* geometry;
    const char* block;
    const qiao_plugin_binding* bindings;
} good_launch;

typedef qiao_status (*good_function)(const good_launch* launch);

typedef struct good_kernel {
    good_function run;
    const qiao_plugin_kernel_desc* desc;
    struct good_kernel* next;
} good_kernel;

typedef struct good_program {
    good_device* device;
    good_kernel* kernels;
} good_program;

/* Null if there is no kernel of that name. */
good_function good_kernel_function(const char* name);

#endif
