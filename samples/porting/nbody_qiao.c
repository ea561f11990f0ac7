/* Bodies that attract each other. As it was written for CUDA's driver interface, and ported. */
#include <qiao/qiao.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nbody_qpk.h"

#define COUNT 1024
#define TILE 64
#define STEPS 50

struct body {
    float x, y, z, mass;
};

static void check(qiao_status code, const char* what) {
    qiao_error error = QIAO_ERROR_INIT;
    if (code == QIAO_OK) return;
    qiao_error_query(&error);
    fprintf(stderr, "%s failed: %s (%s)\n", what, error.message, error.remedy);
    exit(1);
}

struct nbody_step_arguments {
    uint64_t from, to, velocity;
    int32_t count;
    float dt;
};

static void place(struct body* bodies) {
    unsigned seed = 1;
    int i, k;
    for (i = 0; i < COUNT; ++i) {
        float* numbers = &bodies[i].x;
        for (k = 0; k < 3; ++k) {
            seed = seed * 1664525u + 1013904223u;
            numbers[k] = (float)(seed >> 8) / 8388608.0f - 1.0f;
        }
        bodies[i].mass = 1.0f / COUNT;
    }
}

static qiao_memory* allocate(qiao_device* device, uint64_t size, uint64_t* address) {
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    qiao_memory* memory;
    desc.size_bytes = size;
    check(qiao_memory_allocate(device, &desc, &memory), "qiao_memory_allocate");
    check(qiao_memory_get_address(memory, address), "qiao_memory_get_address");
    return memory;
}

int main(int argc, char** argv) {
    static struct body bodies[COUNT];
    static const uint32_t zero = 0;
    const qiao_launch shape = {{COUNT, 1, 1}, {TILE, 1, 1}, {0, 0, 0}, 1, 0};
    qiao_program_desc package = QIAO_PROGRAM_DESC_INIT;
    qiao_instance* instance;
    qiao_device* device;
    qiao_program* module;
    qiao_kernel* function;
    qiao_queue* stream;
    qiao_timeline* timeline;
    qiao_memory *memories[3];
    uint64_t positions[2], velocities, done = 0;
    int count = COUNT, step, i;
    float dt = 0.01f;
    double sum[3] = {0, 0, 0};

    place(bodies);
    check(qiao_instance_create(NULL, &instance), "qiao_instance_create");
    check(qiao_instance_find_device(instance, argc > 1 ? argv[1] : "*", &device), "qiao_instance_find_device");
    package.data = nbody_qpk;
    package.size_bytes = nbody_qpk_size;
    check(qiao_program_create_from_package(device, &package, &module), "qiao_program_create_from_package");
    check(qiao_program_get_kernel(module, "nbody_step", &function), "qiao_program_get_kernel");
    check(qiao_queue_create(device, NULL, &stream), "qiao_queue_create");
    check(qiao_queue_get_timeline(stream, &timeline), "qiao_queue_get_timeline");
    memories[0] = allocate(device, sizeof bodies, &positions[0]);
    memories[1] = allocate(device, sizeof bodies, &positions[1]);
    memories[2] = allocate(device, sizeof bodies, &velocities);
    check(qiao_memory_write(memories[0], 0, bodies, sizeof bodies), "qiao_memory_write");
    check(qiao_queue_fill(stream, (qiao_place){device, velocities}, sizeof bodies, &zero, sizeof zero, NULL), "qiao_queue_fill");

    for (step = 0; step < STEPS; ++step) {
        const struct nbody_step_arguments arguments = {positions[step % 2], positions[(step + 1) % 2], velocities, count, dt};
        check(qiao_queue_launch(stream, function, &shape, &arguments, sizeof arguments, &done), "qiao_queue_launch");
    }
    check(qiao_timeline_wait(timeline, done, QIAO_TIMEOUT_INFINITE), "qiao_timeline_wait");
    check(qiao_memory_read(memories[STEPS % 2], 0, bodies, sizeof bodies), "qiao_memory_read");
    for (i = 0; i < COUNT; ++i) {
        sum[0] += (double)bodies[i].x;
        sum[1] += (double)bodies[i].y;
        sum[2] += (double)bodies[i].z;
    }
    printf("%d steps, centre at %.5f %.5f %.5f\n", STEPS, sum[0] / COUNT, sum[1] / COUNT, sum[2] / COUNT);

    for (i = 0; i < 3; ++i)
        qiao_memory_release(memories[i]);
    qiao_queue_release(stream);
    qiao_program_release(module);
    qiao_instance_release(instance);
    return 0;
}
