/* How the host and a queue meet: a timeline that the host raises to let the queue start, a callback when it has come to a
 * point, and the device's own times of each launch, brought onto the host's clock. */
#include "common.h"
#include "vector_add_qpk.h"

#define COUNT 65536
#define LAUNCHES 4

struct arguments {
    uint64_t x;
    float factor;
    uint32_t unused;
};

struct progress {
    int calls;
    qiao_status status;
};

/* On a thread of the library's; what follows on the queue waits until it returns. */
static void on_progress(void* user, qiao_status status) {
    struct progress* progress = user;
    progress->calls += 1;
    progress->status = status;
}

static int print_times(qiao_device* device, qiao_queue* queue, const uint64_t* values) {
    uint64_t device_ns = 0, host_ns = 0, last_end = 0;
    int i;
    CHECK(qiao_device_query_clock(device, &device_ns, &host_ns)); /* the same moment on both clocks */
    for (i = 0; i < LAUNCHES; ++i) {
        uint64_t start = 0, end = 0;
        CHECK(qiao_queue_query_timestamps(queue, values[i], &start, &end));
        printf("launch %d: began %.3f ms before now, took %.1f us\n", i, (double)(int64_t)(device_ns - start) / 1e6,
               (double)(end - start) / 1e3);
        if (end < start || start < last_end) return 0; /* queues are in order */
        last_end = end;
    }
    return 1;
}

int main(int argc, char** argv) {
    static float values[COUNT];
    qiao_instance* instance = NULL;
    qiao_queue_desc queue_desc = QIAO_QUEUE_DESC_INIT;
    qiao_queue* queue = NULL;
    qiao_timeline* timeline = NULL;
    qiao_timeline* gate = NULL;
    qiao_kernel* kernel = NULL;
    qiao_launch launch = QIAO_LAUNCH_INIT;
    struct arguments arguments = {0, 2.0f, 0};
    struct progress progress = {0, QIAO_NOT_READY};
    uint64_t launched[LAUNCHES];
    uint64_t done = 0;
    qiao_device* device;
    qiao_program* program;
    qiao_memory* memory;
    int good, i;

    for (i = 0; i < COUNT; ++i)
        values[i] = 1.0f;
    CHECK(qiao_instance_create(NULL, &instance));
    device = sample_device(instance, argc, argv, 1);
    program = sample_program(device, vector_add_qpk, vector_add_qpk_size);
    CHECK(qiao_program_get_kernel(program, "vector_scale", &kernel));
    memory = sample_memory(device, values, sizeof values, &arguments.x);
    queue_desc.flags = QIAO_QUEUE_PROFILING;
    CHECK(qiao_queue_create(device, &queue_desc, &queue));
    CHECK(qiao_queue_get_timeline(queue, &timeline));
    CHECK(qiao_timeline_create(instance, 0, &gate));

    /* Nothing runs before the gate has reached 1. */
    CHECK(qiao_queue_after(queue, gate, 1, NULL));
    launch.global_size[0] = COUNT;
    for (i = 0; i < LAUNCHES; ++i) {
        CHECK(qiao_queue_launch(queue, kernel, &launch, &arguments, sizeof arguments, &launched[i]));
    }
    CHECK(qiao_queue_call(queue, on_progress, &progress, &done));
    if (qiao_timeline_reached(timeline, launched[0]) != QIAO_NOT_READY) return 1;
    if (qiao_timeline_wait(timeline, done, 1000000) != QIAO_TIMEOUT) return 1; /* 1 ms */

    CHECK(qiao_timeline_signal(gate, 1));
    CHECK(qiao_timeline_wait(timeline, done, QIAO_TIMEOUT_INFINITE));
    printf("the callback was called %d time, with %s\n", progress.calls, qiao_status_get_name(progress.status));
    good = progress.calls == 1 && progress.status == QIAO_OK && print_times(device, queue, launched);

    CHECK(qiao_memory_read(memory, 0, values, sizeof values));
    for (i = 0; i < COUNT; ++i)
        good = good && values[i] == 16.0f;

    CHECK(qiao_timeline_release(gate));
    CHECK(qiao_queue_release(queue));
    CHECK(qiao_memory_release(memory));
    CHECK(qiao_program_release(program));
    CHECK(qiao_instance_release(instance));
    return good ? 0 : 1;
}
