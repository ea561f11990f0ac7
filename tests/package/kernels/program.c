/* Runs the kernel that is part of this program on the mock card, and prints what it made of 5. */
#include <qiao/qiao.h>
#include <stdio.h>
#include <stdlib.h>

#include "add_base_qpk.h"

static void check(qiao_status status) {
    qiao_error error = QIAO_ERROR_INIT;
    if (status == QIAO_OK) return;
    qiao_error_query(&error);
    fprintf(stderr, "%s: %s\n", qiao_status_get_name(status), error.message);
    exit(1);
}

int main(void) {
    qiao_instance* instance = NULL;
    qiao_device* device = NULL;
    qiao_program* program = NULL;
    qiao_kernel* kernel = NULL;
    qiao_memory* memory = NULL;
    qiao_queue* queue = NULL;
    qiao_timeline* timeline = NULL;
    qiao_program_desc program_desc = QIAO_PROGRAM_DESC_INIT;
    qiao_memory_desc memory_desc = QIAO_MEMORY_DESC_INIT;
    qiao_launch launch = QIAO_LAUNCH_INIT;
    uint64_t address = 0, done = 0;
    int32_t value = 5;

    check(qiao_instance_create(NULL, &instance));
    check(qiao_instance_find_device(instance, "mock:0", &device));
    program_desc.data = add_base_qpk;
    program_desc.size_bytes = add_base_qpk_size;
    check(qiao_program_create_from_package(device, &program_desc, &program));
    check(qiao_program_get_kernel(program, "add_base", &kernel));
    memory_desc.size_bytes = sizeof value;
    check(qiao_memory_allocate(device, &memory_desc, &memory));
    check(qiao_memory_get_address(memory, &address));
    check(qiao_memory_write(memory, 0, &value, sizeof value));
    check(qiao_queue_create(device, NULL, &queue));
    check(qiao_queue_get_timeline(queue, &timeline));
    launch.global_size[0] = 1;
    check(qiao_queue_launch(queue, kernel, &launch, &address, sizeof address, &done));
    check(qiao_timeline_wait(timeline, done, QIAO_TIMEOUT_INFINITE));
    check(qiao_memory_read(memory, 0, &value, sizeof value));
    printf("%d\n", (int)value);
    check(qiao_queue_release(queue));
    check(qiao_memory_release(memory));
    check(qiao_program_release(program));
    check(qiao_instance_release(instance));
    return 0;
}
