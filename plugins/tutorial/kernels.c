/* The built-in functions: what a card's compiler would make of kernels.cl. Each knows its arguments as they stand in the block:
 * an address of this device is a pointer. */
#include <string.h>

#include "tutorial.h"

struct vector_add {
    float *a, *b, *sum;
};

static void vector_add(const qiao_plugin_geometry* geometry, const uint32_t group[3], const void* block, void* local) {
    struct vector_add arguments;
    const size_t size = geometry->group_size[0], first = group[0] * size;
    (void)local;
    memcpy(&arguments, block, sizeof(arguments));
    for (size_t i = first; i < first + size; ++i) arguments.sum[i] = arguments.a[i] + arguments.b[i];
}

struct sum_float {
    float *values, *sums;
    uint32_t count, scratch_bytes;
};

/* Each loop over the items is what stands between two barriers. */
static void sum_float(const qiao_plugin_geometry* geometry, const uint32_t group[3], const void* block, void* local) {
    struct sum_float arguments;
    const uint32_t size = geometry->group_size[0], all = size * geometry->group_count[0];
    float* scratch = local;
    memcpy(&arguments, block, sizeof(arguments));
    for (uint32_t item = 0; item < size; ++item) {
        scratch[item] = 0;
        for (uint32_t i = group[0] * size + item; i < arguments.count; i += all) scratch[item] += arguments.values[i];
    }
    for (uint32_t half = size / 2; half > 0; half /= 2) {
        for (uint32_t item = 0; item < half; ++item) scratch[item] += scratch[item + half];
    }
    arguments.sums[group[0]] = scratch[0];
}

const tutorial_kernel tutorial_kernels[] = {
    {"vector_add", sizeof(struct vector_add), vector_add}, {"sum_float", sizeof(struct sum_float), sum_float}, {NULL, 0, NULL}};
