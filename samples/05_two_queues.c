/* Two devices work on one array, each on its own queue: the first scales it, the second waits for that on the first one's
 * timeline, fetches the array, scales it again. The host submits everything at once and waits once. Give two devices
 * ("mock:0" "opencl:*"); the default is the first two, or one device twice. */
#include "common.h"
#include "vector_add_qpk.h"

#define COUNT 100000

struct arguments {
    uint64_t x;
    float factor;
    uint32_t unused;
};

/* All that one device contributes. */
struct side {
    qiao_device* device;
    qiao_program* program;
    qiao_kernel* kernel;
    qiao_memory* memory;
    qiao_queue* queue;
    qiao_timeline* timeline;
    struct arguments arguments;
};

static void open_side(struct side* side, qiao_device* device, const float* values, float factor) {
    memset(side, 0, sizeof *side);
    side->device = device;
    side->program = sample_program(device, vector_add_qpk, vector_add_qpk_size);
    CHECK(qiao_program_get_kernel(side->program, "vector_scale", &side->kernel));
    side->memory = sample_memory(device, values, COUNT * sizeof(float), &side->arguments.x);
    side->arguments.factor = factor;
    CHECK(qiao_queue_create(device, NULL, &side->queue));
    CHECK(qiao_queue_get_timeline(side->queue, &side->timeline));
}

static void launch(struct side* side, uint64_t* out_value) {
    qiao_launch shape = QIAO_LAUNCH_INIT;
    shape.global_size[0] = COUNT;
    CHECK(qiao_queue_launch(side->queue, side->kernel, &shape, &side->arguments, sizeof side->arguments, out_value));
}

static void close_side(struct side* side) {
    CHECK(qiao_queue_release(side->queue));
    CHECK(qiao_memory_release(side->memory));
    CHECK(qiao_program_release(side->program));
}

/* The second device: the one named, else the second there is, else the first again. */
static qiao_device* second_device(qiao_instance* instance, int argc, char** argv) {
    qiao_device* devices[2] = {NULL, NULL};
    uint32_t count = 0;
    if (argc > 2) return sample_device(instance, argc, argv, 2);
    CHECK(qiao_instance_enumerate_devices(instance, 2, devices, &count));
    return count > 1 ? devices[1] : devices[0];
}

int main(int argc, char** argv) {
    static float values[COUNT], results[COUNT];
    struct side first, second;
    qiao_instance* instance = NULL;
    qiao_copy copy = QIAO_COPY_INIT;
    uint64_t scaled = 0;
    uint64_t done = 0;
    int i;

    for (i = 0; i < COUNT; ++i)
        values[i] = (float)i;
    CHECK(qiao_instance_create(NULL, &instance));
    open_side(&first, sample_device(instance, argc, argv, 1), values, 3.0f);
    open_side(&second, second_device(instance, argc, argv), NULL, 0.5f);

    /* The second queue is told first: it waits for a value that the first one has not promised yet. */
    CHECK(qiao_timeline_query_value(first.timeline, &scaled));
    scaled += 1;
    CHECK(qiao_queue_after(second.queue, first.timeline, scaled, NULL));
    copy.source.device = first.device;
    copy.source.address = first.arguments.x;
    copy.target.device = second.device;
    copy.target.address = second.arguments.x;
    copy.size_bytes = sizeof values;
    CHECK(qiao_queue_copy(second.queue, &copy, NULL));
    launch(&second, NULL);
    copy.source = copy.target;
    copy.target.device = NULL;
    copy.target.address = (uint64_t)(uintptr_t)results;
    CHECK(qiao_queue_copy(second.queue, &copy, &done));

    launch(&first, &scaled);
    CHECK(qiao_timeline_wait(second.timeline, done, QIAO_TIMEOUT_INFINITE));

    for (i = 0; i < COUNT; ++i) {
        if (results[i] != values[i] * 1.5f) {
            fprintf(stderr, "results[%d] is %g, not %g\n", i, (double)results[i], 1.5 * i);
            return 1;
        }
    }
    printf("%d values went through both queues\n", COUNT);
    close_side(&second);
    close_side(&first);
    CHECK(qiao_instance_release(instance));
    return 0;
}
