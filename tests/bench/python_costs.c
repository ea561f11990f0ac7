/* The C calls behind an operation of the Python package, timed without it: loaded by python_times.py, into the same process.
 * Each function gives nanoseconds for one of `count` operations; what fails ends the process. */
#include <qiao/qiao.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT double allocate_and_release(const char* selector, uint64_t size_bytes, uint32_t count);
EXPORT double launch(const char* selector, const char* source, const char* name, uint32_t count);

static void check(qiao_status status) {
    qiao_error error = QIAO_ERROR_INIT;
    if (status == QIAO_OK) return;
    qiao_error_query(&error);
    fprintf(stderr, "%s\n%s\n", error.message, error.log);
    exit(1);
}

static double now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static qiao_device* device_of(const char* selector) {
    static qiao_instance* instance = NULL;
    qiao_device* device = NULL;
    if (instance == NULL) check(qiao_instance_create(NULL, &instance));
    check(qiao_instance_find_device(instance, selector, &device));
    return device;
}

double allocate_and_release(const char* selector, uint64_t size_bytes, uint32_t count) {
    qiao_device* const device = device_of(selector);
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    qiao_memory_properties properties = QIAO_MEMORY_PROPERTIES_INIT;
    qiao_queue* queue = NULL;
    qiao_memory* others[2];
    uint32_t i;
    double taken;
    desc.size_bytes = size_bytes;
    /* As on Python's device: a queue, which a release asks, and two arrays, beside which there is room to find. */
    check(qiao_queue_create(device, NULL, &queue));
    for (i = 0; i < 2; ++i) check(qiao_memory_allocate(device, &desc, &others[i]));
    taken = now_ns();
    for (i = 0; i < count; ++i) {
        qiao_memory* memory = NULL;
        check(qiao_memory_allocate(device, &desc, &memory));
        check(qiao_memory_query(memory, &properties));
        check(qiao_memory_release(memory));
    }
    taken = now_ns() - taken;
    for (i = 0; i < 2; ++i) check(qiao_memory_release(others[i]));
    check(qiao_queue_release(queue));
    return taken / count;
}

double launch(const char* selector, const char* source, const char* name, uint32_t count) {
    qiao_device* const device = device_of(selector);
    qiao_program_desc program_desc = QIAO_PROGRAM_DESC_INIT;
    qiao_memory_desc memory_desc = QIAO_MEMORY_DESC_INIT;
    qiao_launch shape = QIAO_LAUNCH_INIT;
    qiao_program* program = NULL;
    qiao_kernel* kernel = NULL;
    qiao_memory* memory = NULL;
    qiao_queue* queue = NULL;
    qiao_timeline* timeline = NULL;
    struct {
        uint64_t x, y;
        float a;
        uint32_t padding;
    } arguments = {0, 0, 2, 0};
    uint64_t value = 0;
    uint32_t i;
    double taken;
    program_desc.data = source;
    while (source[program_desc.size_bytes] != '\0')
        ++program_desc.size_bytes;
    memory_desc.size_bytes = 4096;
    shape.global_size[0] = shape.group_size[0] = 64;
    check(qiao_program_create_from_source(device, &program_desc, &program));
    check(qiao_program_get_kernel(program, name, &kernel));
    check(qiao_memory_allocate(device, &memory_desc, &memory));
    check(qiao_memory_get_address(memory, &arguments.x));
    arguments.y = arguments.x;
    check(qiao_queue_create(device, NULL, &queue));
    check(qiao_queue_get_timeline(queue, &timeline));
    taken = now_ns();
    for (i = 0; i < count; ++i)
        check(qiao_queue_launch(queue, kernel, &shape, &arguments, sizeof arguments, &value));
    taken = now_ns() - taken;
    check(qiao_timeline_wait(timeline, value, QIAO_TIMEOUT_INFINITE));
    check(qiao_queue_release(queue));
    check(qiao_memory_release(memory));
    check(qiao_program_release(program));
    return taken / count;
}
