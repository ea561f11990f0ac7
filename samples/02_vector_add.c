/* A whole program: two arrays are added on a device. Give a device as argument ("opencl:*"), or the first one is taken. */
#include <qiao/qiao.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT 1000

static const char source[] =
    "kernel void add(global const float* a, global const float* b, global float* sum) {"
    "    size_t i = get_global_id(0);"
    "    sum[i] = a[i] + b[i];"
    "}";

/* What a launch of `add` takes: a C struct, with device addresses where the kernel has pointers. */
struct arguments {
    uint64_t a;
    uint64_t b;
    uint64_t sum;
};

/* Ends the program with what the library says of the failure. */
static void check(qiao_status status) {
    qiao_error error = QIAO_ERROR_INIT;
    if (status == QIAO_OK) return;
    qiao_error_query(&error);
    fprintf(stderr, "%s: %s\n%s\n%s\n", qiao_status_get_name(status), error.message, error.log, error.remedy);
    exit(1);
}

int main(int argc, char** argv) {
    static float a[COUNT], b[COUNT], sum[COUNT];
    qiao_instance* instance = NULL;
    qiao_device* device = NULL;
    qiao_program* program = NULL;
    qiao_kernel* kernel = NULL;
    qiao_memory* memory[3] = {NULL, NULL, NULL};
    qiao_queue* queue = NULL;
    qiao_timeline* timeline = NULL;
    qiao_program_desc program_desc = QIAO_PROGRAM_DESC_INIT;
    qiao_memory_desc memory_desc = QIAO_MEMORY_DESC_INIT;
    qiao_launch launch = QIAO_LAUNCH_INIT;
    struct arguments arguments;
    uint64_t done = 0;
    int i;

    for (i = 0; i < COUNT; ++i) {
        a[i] = (float)i;
        b[i] = 0.5f * (float)i;
    }

    /* A device and a kernel on it. */
    check(qiao_instance_create(NULL, &instance));
    check(qiao_instance_find_device(instance, argc > 1 ? argv[1] : "*", &device));
    program_desc.data = source;
    program_desc.size_bytes = strlen(source);
    check(qiao_program_create_from_source(device, &program_desc, &program));
    check(qiao_program_get_kernel(program, "add", &kernel));

    /* Memory on the device, and its addresses. */
    memory_desc.size_bytes = sizeof a;
    for (i = 0; i < 3; ++i)
        check(qiao_memory_allocate(device, &memory_desc, &memory[i]));
    check(qiao_memory_get_address(memory[0], &arguments.a));
    check(qiao_memory_get_address(memory[1], &arguments.b));
    check(qiao_memory_get_address(memory[2], &arguments.sum));
    check(qiao_memory_write(memory[0], 0, a, sizeof a));
    check(qiao_memory_write(memory[1], 0, b, sizeof b));

    /* Launch, and wait for the value that the launch returned. */
    check(qiao_queue_create(device, NULL, &queue));
    check(qiao_queue_get_timeline(queue, &timeline));
    launch.global_size[0] = COUNT;
    check(qiao_queue_launch(queue, kernel, &launch, &arguments, sizeof arguments, &done));
    check(qiao_timeline_wait(timeline, done, QIAO_TIMEOUT_INFINITE));
    check(qiao_memory_read(memory[2], 0, sum, sizeof sum));

    for (i = 0; i < COUNT; ++i) {
        if (sum[i] != 1.5f * (float)i) {
            fprintf(stderr, "sum[%d] is %g, not %g\n", i, (double)sum[i], 1.5 * i);
            return 1;
        }
    }
    printf("%d sums are right\n", COUNT);

    check(qiao_queue_release(queue));
    for (i = 0; i < 3; ++i)
        check(qiao_memory_release(memory[i]));
    check(qiao_program_release(program));
    check(qiao_instance_release(instance));
    return 0;
}
