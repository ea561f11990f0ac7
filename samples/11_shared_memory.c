/* One data structure in shared memory, changed in turn by the host, through a plain pointer, and by each device: bodies on
 * springs, of which the host pushes a few before every step of the card. Where a device has no shared memory the library
 * moves what was written; how much is printed. Give devices ("mock:0" "opencl:0"); the default is all of them. */
#include <math.h>

#include "common.h"
#include "orbit_qpk.h"

#define COUNT 65536
#define STEPS 8
#define PUSHED 16 /* bodies a step */
#define SECONDS 0.125f

/* As in kernels/orbit.cl. */
struct body {
    float position, speed;
    int32_t owner;
    uint32_t steps;
};

struct arguments {
    uint64_t bodies;
    float seconds;
    uint32_t unused;
};

static void start(struct body* bodies) {
    int i;
    for (i = 0; i < COUNT; ++i) {
        bodies[i].position = (float)(i % 1000) / 8.0f;
        bodies[i].speed = 0.0f;
        bodies[i].owner = -1;
        bodies[i].steps = 0;
    }
}

/* What the host does between two steps: a few stores here and there. */
static void push(struct body* bodies, int step) {
    int i;
    for (i = 0; i < PUSHED; ++i) {
        struct body* body = &bodies[(i * 4099 + step * 257) % COUNT];
        body->speed += 1.0f;
        body->owner = step;
    }
}

/* The same on the host alone. */
static void advance(struct body* bodies) {
    int i;
    for (i = 0; i < COUNT; ++i) {
        bodies[i].speed -= bodies[i].position * SECONDS;
        bodies[i].position += bodies[i].speed * SECONDS;
        bodies[i].steps += 1;
    }
}

static int is_near(float value, float wanted) { return fabsf(value - wanted) <= 1e-3f * (1.0f + fabsf(wanted)); }

static void run(qiao_device* device, const struct body* wanted) {
    static const char* const names[] = {"nothing is moved", "written pages", "compared with a copy", "everything each time"};
    qiao_device_properties about = QIAO_DEVICE_PROPERTIES_INIT;
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    qiao_memory_properties properties = QIAO_MEMORY_PROPERTIES_INIT;
    qiao_memory_traffic traffic = QIAO_MEMORY_TRAFFIC_INIT;
    qiao_launch shape = QIAO_LAUNCH_INIT;
    qiao_memory* memory = NULL;
    qiao_queue* queue = NULL;
    qiao_timeline* timeline = NULL;
    qiao_kernel* kernel = NULL;
    qiao_program* program = sample_program(device, orbit_qpk, orbit_qpk_size);
    struct arguments arguments;
    struct body* bodies;
    uint64_t value = 0;
    int i, step;

    desc.size_bytes = COUNT * sizeof *bodies;
    desc.kind = QIAO_MEMORY_KIND_SHARED;
    CHECK(qiao_memory_allocate(device, &desc, &memory));
    CHECK(qiao_memory_query(memory, &properties));
    CHECK(qiao_program_get_kernel(program, "advance", &kernel));
    CHECK(qiao_queue_create(device, NULL, &queue));
    CHECK(qiao_queue_get_timeline(queue, &timeline));

    bodies = properties.host_pointer; /* for the host */
    memset(&arguments, 0, sizeof arguments);
    arguments.bodies = properties.address; /* for the card */
    arguments.seconds = SECONDS;
    shape.global_size[0] = COUNT;
    start(bodies);
    for (step = 0; step < STEPS; ++step) {
        push(bodies, step);
        CHECK(qiao_queue_launch(queue, kernel, &shape, &arguments, sizeof arguments, &value));
        CHECK(qiao_timeline_wait(timeline, value, QIAO_TIMEOUT_INFINITE));
    }
    for (i = 0; i < COUNT; ++i) {
        if (is_near(bodies[i].position, wanted[i].position) && bodies[i].owner == wanted[i].owner && bodies[i].steps == wanted[i].steps) continue;
        fprintf(stderr, "body %d is at %g, not %g\n", i, (double)bodies[i].position, (double)wanted[i].position);
        exit(1);
    }
    CHECK(qiao_device_query_properties(device, &about));
    CHECK(qiao_memory_query_traffic(memory, &traffic));
    printf("%-10s %d steps of %d KiB: %8.1f KiB to the card, %8.1f KiB to the host (%s)\n", about.id, STEPS, (int)(desc.size_bytes / 1024),
           (double)traffic.to_device_bytes / 1024.0, (double)traffic.to_host_bytes / 1024.0, names[traffic.tracking & 3]);
    CHECK(qiao_queue_release(queue));
    CHECK(qiao_memory_release(memory));
    CHECK(qiao_program_release(program));
}

int main(int argc, char** argv) {
    static struct body wanted[COUNT];
    qiao_instance* instance = NULL;
    qiao_device* devices[16];
    uint32_t count = 0, index;
    int i;

    start(wanted);
    for (i = 0; i < STEPS; ++i) {
        push(wanted, i);
        advance(wanted);
    }
    CHECK(qiao_instance_create(NULL, &instance));
    CHECK(qiao_instance_enumerate_devices(instance, 16, devices, &count));
    if (count > 16) count = 16;
    if (argc > 1) count = (uint32_t)(argc - 1 < 16 ? argc - 1 : 16);
    for (index = 0; index < count; ++index)
        run(argc > 1 ? sample_device(instance, argc, argv, (int)index + 1) : devices[index], wanted);
    CHECK(qiao_instance_release(instance));
    return 0;
}
