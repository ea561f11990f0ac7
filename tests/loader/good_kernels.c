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
    {"fill", run_fill}, {"add", run_add},   {"count", run_count},
    {"hold", run_hold}, {"fail", run_fail}, {"lose", run_lose},
};

good_function good_kernel_function(const char* name) {
    for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); ++i) {
        if (strcmp(kernels[i].name, name) == 0) return kernels[i].run;
    }
    return NULL;
}
