/* The kernels of the T0 fixture plugin. Each walks its grid item by item on the calling thread and finds its arguments as
 * a real kernel does: by kind and place in the block, or in the bindings where the device has no addresses. */
#include <string.h>

#include "good_plugin.h"
#include "loader/fixture.h"

/* The host pointer behind ADDRESS argument `index`. */
static void* pointer_argument(const good_launch* launch, uint32_t index) {
    uint32_t binding = 0;
    uint64_t address = 0;
    if (!launch->device->plugin->resolved) {
        memcpy(&address, launch->block + launch->desc->arguments[index].offset, sizeof(address));
        return (void*)(uintptr_t)address;
    }
    for (uint32_t before = 0; before < index; ++before) {
        binding += launch->desc->arguments[before].kind == QIAO_ARGUMENT_KIND_ADDRESS;
    }
    if (launch->bindings[binding].allocation == NULL) return NULL;
    return ((good_allocation*)launch->bindings[binding].allocation)->bytes + launch->bindings[binding].offset;
}

static uint32_t value_argument(const good_launch* launch, uint32_t index) {
    uint32_t value = 0;
    memcpy(&value, launch->block + launch->desc->arguments[index].offset, sizeof(value));
    return value;
}

/* Items along an axis, a short last group counted as it is. */
static uint64_t items(const good_launch* launch, int axis) {
    const qiao_plugin_geometry* geometry = launch->geometry;
    const uint64_t whole = (uint64_t)geometry->group_count[axis] * geometry->group_size[axis];
    return geometry->tail[axis] == 0 ? whole : whole - geometry->group_size[axis] + geometry->tail[axis];
}

/* fill(uint* out, uint value): out[i] = value */
static qiao_status run_fill(const good_launch* launch) {
    uint32_t* out = pointer_argument(launch, 0);
    const uint32_t value = value_argument(launch, 1);
    const uint64_t first = launch->geometry->global_offset[0];
    for (uint64_t i = first; i < first + items(launch, 0); ++i)
        out[i] = value;
    return QIAO_OK;
}

/* add(const uint* a, const uint* b, uint* out): out[i] = a[i] + b[i] */
static qiao_status run_add(const good_launch* launch) {
    const uint32_t* a = pointer_argument(launch, 0);
    const uint32_t* b = pointer_argument(launch, 1);
    uint32_t* out = pointer_argument(launch, 2);
    const uint64_t first = launch->geometry->global_offset[0];
    for (uint64_t i = first; i < first + items(launch, 0); ++i)
        out[i] = a[i] + b[i];
    return QIAO_OK;
}

/* count(uint* counter): one more for each item, of all three axes */
static qiao_status run_count(const good_launch* launch) {
    uint32_t* counter = pointer_argument(launch, 0);
    *counter += (uint32_t)(items(launch, 0) * items(launch, 1) * items(launch, 2));
    return QIAO_OK;
}

/* nothing(): no argument, no effect */
static qiao_status run_nothing(const good_launch* launch) {
    (void)launch;
    return QIAO_OK;
}

/* iterate(uint* cell, uint rounds): as many steps of a generator, for each item; takes as long as it is told */
static qiao_status run_iterate(const good_launch* launch) {
    uint32_t* cell = pointer_argument(launch, 0);
    const uint32_t rounds = value_argument(launch, 1);
    uint32_t x = *cell;
    for (uint32_t round = 0; round < rounds; ++round)
        x = x * 1664525u + 1013904223u;
    *cell = x;
    return QIAO_OK;
}

/* take_params(int* out, struct params p): what arrived of each member */
static qiao_status run_take_params(const good_launch* launch) {
    struct params {
        char tag;
        int32_t a;
        int64_t b;
        float c;
        int16_t d[3];
    } p;
    memcpy(&p, launch->block + launch->desc->arguments[1].offset, sizeof(p));
    const int32_t values[8] = {p.tag, p.a, (int32_t)p.b, (int32_t)(p.b >> 32), (int32_t)p.c, p.d[0], p.d[1], p.d[2]};
    memcpy(pointer_argument(launch, 0), values, sizeof(values));
    return QIAO_OK;
}

/* reverse(const uint* in, uint* out, local uint* tile): turns each group's items round */
static qiao_status run_reverse(const good_launch* launch) {
    const uint32_t* in = pointer_argument(launch, 0);
    uint32_t* out = pointer_argument(launch, 1);
    const uint64_t size = launch->geometry->group_size[0];
    uint32_t tile[256];
    if (value_argument(launch, 2) < size * sizeof(uint32_t)) {
        return fixture_fail(launch->device->plugin->host, QIAO_ERROR_PLUGIN, "'tile' is smaller than the group", "");
    }
    for (uint64_t first = 0; first < items(launch, 0); first += size) {
        const uint64_t left = items(launch, 0) - first, count = left < size ? left : size;
        memcpy(tile, in + first, count * sizeof(uint32_t));
        for (uint64_t i = 0; i < count; ++i)
            out[first + i] = tile[count - 1 - i];
    }
    return QIAO_OK;
}

/* two_locals(uint* out, local uint* first, local uint* second): out[i] = 1001 * the item opposite in the group */
static qiao_status run_two_locals(const good_launch* launch) {
    uint32_t* out = pointer_argument(launch, 0);
    const uint64_t size = launch->geometry->group_size[0];
    if (value_argument(launch, 1) < size * sizeof(uint32_t) || value_argument(launch, 2) < size * sizeof(uint32_t)) {
        return fixture_fail(launch->device->plugin->host, QIAO_ERROR_PLUGIN, "a local argument is smaller than the group", "");
    }
    for (uint64_t first = 0; first < items(launch, 0); first += size) {
        const uint64_t left = items(launch, 0) - first, count = left < size ? left : size;
        for (uint64_t i = 0; i < count; ++i)
            out[first + i] = 1001u * (uint32_t)(first + count - 1 - i);
    }
    return QIAO_OK;
}

/* Items of the group that has item `at` of the axis. */
static uint32_t group_items(const good_launch* launch, int axis, uint64_t at) {
    const qiao_plugin_geometry* geometry = launch->geometry;
    const uint32_t size = geometry->group_size[axis];
    const bool last = at / size == geometry->group_count[axis] - 1u;
    return last && geometry->tail[axis] != 0 ? geometry->tail[axis] : size;
}

/* grid(uint* out): of each item its three global ids, and its place in the group */
static qiao_status run_grid(const good_launch* launch) {
    uint32_t* out = pointer_argument(launch, 0);
    const uint32_t* size = launch->geometry->group_size;
    const uint32_t* offset = launch->geometry->global_offset;
    for (uint64_t z = 0; z < items(launch, 2); ++z) {
        for (uint64_t y = 0; y < items(launch, 1); ++y) {
            for (uint64_t x = 0; x < items(launch, 0); ++x) {
                *out++ = (uint32_t)x + offset[0];
                *out++ = (uint32_t)y + offset[1];
                *out++ = (uint32_t)z + offset[2];
                *out++ = (uint32_t)(x % size[0] + group_items(launch, 0, x) * (y % size[1] + group_items(launch, 1, y) * (z % size[2])));
            }
        }
    }
    return QIAO_OK;
}

/* required(uint* out): compiled for one group size, and says which it got */
static qiao_status run_required(const good_launch* launch) {
    uint32_t* out = pointer_argument(launch, 0);
    const uint64_t count = items(launch, 0) * items(launch, 1);
    for (uint64_t i = 0; i < count; ++i)
        out[i] = 100u * launch->geometry->group_size[0] + launch->geometry->group_size[1];
    return QIAO_OK;
}

/* offsets(uint* out): out[i] = global id, which starts at the offset */
static qiao_status run_offsets(const good_launch* launch) {
    uint32_t* out = pointer_argument(launch, 0);
    for (uint64_t i = 0; i < items(launch, 0); ++i)
        out[i] = (uint32_t)i + launch->geometry->global_offset[0];
    return QIAO_OK;
}

/* hold(uint* word): runs until somebody writes another value than 0 there; gives up after 30 s. The device must be
 * free-threaded, else nobody can write. */
static qiao_status run_hold(const good_launch* launch) {
    const uint32_t* word = pointer_argument(launch, 0);
    const qiao_host_api* host = launch->device->plugin->host;
    const uint64_t deadline = host->now_ns(host->host) + UINT64_C(30000000000);
    uint32_t round = 0;
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == 0) {
        if (host->pause(host->host, &round, deadline) != QIAO_OK) {
            return fixture_fail(host, QIAO_ERROR_PLUGIN, "nobody released the kernel 'hold' for 30 s", "");
        }
    }
    return QIAO_OK;
}

/* fail(): the launch fails, with a record */
static qiao_status run_fail(const good_launch* launch) {
    const qiao_host_api* host = launch->device->plugin->host;
    qiao_plugin_error error = {0};
    error.struct_size = sizeof(error);
    error.status = QIAO_ERROR_PLUGIN;
    error.vendor_code = -719;
    error.vendor_text = "FIXTURE_LAUNCH_FAILED";
    error.message = "the kernel 'fail' fails always";
    error.remedy = "launch another kernel";
    host->error(host->host, &error);
    return QIAO_ERROR_PLUGIN;
}

/* lose(): the device is lost */
static qiao_status run_lose(const good_launch* launch) {
    const qiao_host_api* host = launch->device->plugin->host;
    host->device_lost(host->host, launch->device->token, "the kernel 'lose' lost it");
    return fixture_fail(host, QIAO_ERROR_DEVICE_LOST, "the kernel 'lose' lost the device", "reset the device");
}

static const struct {
    const char* name;
    good_function run;
} kernels[] = {
    {"fill", run_fill},
    {"add", run_add},
    {"count", run_count},
    {"nothing", run_nothing},
    {"iterate", run_iterate},
    {"take_params", run_take_params},
    {"reverse", run_reverse},
    {"two_locals", run_two_locals},
    {"grid", run_grid},
    {"required", run_required},
    {"offsets", run_offsets},
    {"hold", run_hold},
    {"fail", run_fail},
    {"lose", run_lose},
};

good_function good_kernel_function(const char* name) {
    for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); ++i) {
        if (strcmp(kernels[i].name, name) == 0) return kernels[i].run;
    }
    return NULL;
}
