/* Heat in a plate, until it hardly changes any more. As it was written for OpenCL, and ported. */
#include <qiao/qiao.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heat_qpk.h"

#define SIZE 128
#define GROUP 16
#define GROUPS (SIZE / GROUP * (SIZE / GROUP))
#define STEPS_BETWEEN_LOOKS 100

static void check(qiao_status code, const char* what) {
    qiao_error error = QIAO_ERROR_INIT;
    if (code == QIAO_OK) return;
    qiao_error_query(&error);
    fprintf(stderr, "%s failed: %s (%s)\n", what, error.message, error.remedy);
    exit(1);
}

struct heat_step_arguments {
    uint64_t old, new, changes;
    int32_t size;
    uint32_t scratch_bytes;
};

int main(int argc, char** argv) {
    static float plate[SIZE * SIZE], changes[GROUPS];
    const qiao_launch shape = {{SIZE, SIZE, 1}, {GROUP, GROUP, 1}, {0, 0, 0}, 2, 0};
    struct heat_step_arguments arguments = {0, 0, 0, SIZE, GROUP * GROUP * sizeof(float)};
    qiao_program_desc package = QIAO_PROGRAM_DESC_INIT;
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    qiao_instance* instance;
    qiao_device* device;
    qiao_queue* queue;
    qiao_timeline* timeline;
    qiao_program* program;
    qiao_kernel* kernel;
    qiao_memory *plates[2], *change;
    uint64_t addresses[2], done = 0;
    float most = 1;
    int steps = 0, i;

    check(qiao_instance_create(NULL, &instance), "qiao_instance_create");
    check(qiao_instance_find_device(instance, argc > 1 ? argv[1] : "*", &device), "qiao_instance_find_device");
    check(qiao_queue_create(device, NULL, &queue), "qiao_queue_create");
    check(qiao_queue_get_timeline(queue, &timeline), "qiao_queue_get_timeline");
    package.data = heat_qpk;
    package.size_bytes = heat_qpk_size;
    check(qiao_program_create_from_package(device, &package, &program), "qiao_program_create_from_package");
    check(qiao_program_get_kernel(program, "heat_step", &kernel), "qiao_program_get_kernel");

    for (i = 0; i < SIZE; ++i)
        plate[i] = 100; /* one edge is hot */
    desc.size_bytes = sizeof plate;
    for (i = 0; i < 2; ++i) {
        check(qiao_memory_allocate(device, &desc, &plates[i]), "qiao_memory_allocate");
        check(qiao_memory_get_address(plates[i], &addresses[i]), "qiao_memory_get_address");
        check(qiao_memory_write(plates[i], 0, plate, sizeof plate), "qiao_memory_write");
    }
    desc.size_bytes = sizeof changes;
    check(qiao_memory_allocate(device, &desc, &change), "qiao_memory_allocate");
    check(qiao_memory_get_address(change, &arguments.changes), "qiao_memory_get_address");

    while (most > 1e-3f) {
        for (i = 0; i < STEPS_BETWEEN_LOOKS; ++i, ++steps) {
            arguments.old = addresses[steps % 2];
            arguments.new = addresses[(steps + 1) % 2];
            check(qiao_queue_launch(queue, kernel, &shape, &arguments, sizeof arguments, &done), "qiao_queue_launch");
        }
        check(qiao_timeline_wait(timeline, done, QIAO_TIMEOUT_INFINITE), "qiao_timeline_wait");
        check(qiao_memory_read(change, 0, changes, sizeof changes), "qiao_memory_read");
        for (most = 0, i = 0; i < GROUPS; ++i)
            most = changes[i] > most ? changes[i] : most;
    }
    check(qiao_memory_read(plates[steps % 2], 0, plate, sizeof plate), "qiao_memory_read");
    printf("%d steps, %.4f degrees in the middle\n", steps, (double)plate[SIZE / 2 * SIZE + SIZE / 2]);

    qiao_memory_release(change);
    qiao_memory_release(plates[0]);
    qiao_memory_release(plates[1]);
    qiao_program_release(program);
    qiao_queue_release(queue);
    qiao_instance_release(instance);
    return 0;
}
