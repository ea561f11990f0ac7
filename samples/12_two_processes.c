/* Two processes with a device each, of any two vendors: the first one's fills two arrays, the second one's adds them, and the result
 * is where both see it, without a copy. Their queues wait for each other through a timeline that both have, so no process waits
 * for the other's answer. Give two devices ("mock:0" "opencl:0"); the default is the first one for both. */
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "vector_add_qpk.h"

#define COUNT 65536
#define ROUNDS 4
#define PATIENCE UINT64_C(60000000000) /* if the other process ends before it has the timeline */

struct arguments {
    uint64_t a, b, sum;
};

/* Room for one descriptor beside the bytes of a message. */
union control {
    struct cmsghdr head;
    char room[CMSG_SPACE(sizeof(int))];
};

static struct msghdr message_of(struct iovec* part, qiao_share_handle* handle, union control* control) {
    struct msghdr message;
    memset(&message, 0, sizeof message);
    memset(control, 0, sizeof *control);
    part->iov_base = handle;
    part->iov_len = sizeof *handle;
    message.msg_iov = part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof *control;
    return message;
}

/* A handle is plain bytes; the descriptor beside it goes through SCM_RIGHTS, and the other process gets one of its own. */
static void send_handle(int to, qiao_share_handle* handle, int descriptor) {
    union control control;
    struct iovec part;
    struct msghdr message = message_of(&part, handle, &control);
    struct cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof descriptor);
    memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
    if (sendmsg(to, &message, 0) != (ssize_t)sizeof *handle) exit(2);
    close(descriptor);
}

static int receive_handle(int from, qiao_share_handle* handle) {
    union control control;
    struct iovec part;
    struct msghdr message = message_of(&part, handle, &control);
    int descriptor = -1;
    if (recvmsg(from, &message, MSG_WAITALL | MSG_CMSG_CLOEXEC) != (ssize_t)sizeof *handle) exit(2);
    if (CMSG_FIRSTHDR(&message) != NULL) memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof descriptor);
    return descriptor;
}

/* Fills a and b, and checks what the other process makes of them. */
static void first(int other, qiao_instance* instance, qiao_device* device, qiao_queue* queue) {
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    qiao_memory_properties properties = QIAO_MEMORY_PROPERTIES_INIT;
    qiao_memory* memory = NULL;
    qiao_timeline* turns = NULL;
    qiao_share_handle handle;
    int32_t descriptor = -1;
    const uint64_t bytes = COUNT * sizeof(float);
    int round, i;
    desc.size_bytes = 3 * bytes;
    desc.kind = QIAO_MEMORY_KIND_HOST;
    desc.flags = QIAO_MEMORY_SHAREABLE;
    CHECK(qiao_memory_allocate(device, &desc, &memory));
    CHECK(qiao_memory_query(memory, &properties));
    CHECK(qiao_timeline_create_shareable(instance, 0, &turns));
    CHECK(qiao_memory_export(memory, 0, &handle, &descriptor));
    send_handle(other, &handle, descriptor);
    CHECK(qiao_timeline_export(turns, &handle, &descriptor));
    send_handle(other, &handle, descriptor);
    for (round = 1; round <= ROUNDS; ++round) {
        const float a = (float)round, b = 0.5f;
        const float* sum = (const float*)properties.host_pointer + 2 * COUNT;
        qiao_place place;
        place.device = device;
        place.address = properties.address;
        CHECK(qiao_queue_fill(queue, place, bytes, &a, sizeof a, NULL));
        place.address += bytes;
        CHECK(qiao_queue_fill(queue, place, bytes, &b, sizeof b, NULL));
        CHECK(qiao_queue_signal(queue, turns, 2 * (uint64_t)round - 1, NULL));
        CHECK(qiao_timeline_wait(turns, 2 * (uint64_t)round, PATIENCE));
        for (i = 0; i < COUNT; ++i)
            if (sum[i] != a + b) exit(3);
        printf("round %d: %g + %g = %g, at %p here\n", round, (double)a, (double)b, (double)sum[0], (const void*)sum);
    }
    CHECK(qiao_timeline_release(turns));
    CHECK(qiao_memory_release(memory));
}

/* Adds them. All rounds are submitted at once. */
static void second(int other, qiao_instance* instance, qiao_device* device, qiao_queue* queue) {
    qiao_memory* memory = NULL;
    qiao_timeline *turns = NULL, *progress = NULL;
    qiao_kernel* kernel = NULL;
    qiao_program* program = sample_program(device, vector_add_qpk, vector_add_qpk_size);
    qiao_launch shape = QIAO_LAUNCH_INIT;
    struct arguments arguments;
    qiao_share_handle handle;
    uint64_t round, value = 0;
    int descriptor = receive_handle(other, &handle);
    CHECK(qiao_memory_import(device, &handle, descriptor, 0, &memory));
    close(descriptor);
    descriptor = receive_handle(other, &handle);
    CHECK(qiao_timeline_import(instance, &handle, descriptor, &turns));
    close(descriptor);
    CHECK(qiao_program_get_kernel(program, "vector_add", &kernel));
    CHECK(qiao_memory_get_address(memory, &arguments.a));
    arguments.b = arguments.a + COUNT * sizeof(float);
    arguments.sum = arguments.b + COUNT * sizeof(float);
    shape.global_size[0] = COUNT;
    for (round = 1; round <= ROUNDS; ++round) {
        CHECK(qiao_queue_after(queue, turns, 2 * round - 1, NULL));
        CHECK(qiao_queue_launch(queue, kernel, &shape, &arguments, sizeof arguments, NULL));
        CHECK(qiao_queue_signal(queue, turns, 2 * round, &value));
    }
    CHECK(qiao_queue_get_timeline(queue, &progress));
    CHECK(qiao_timeline_wait(progress, value, QIAO_TIMEOUT_INFINITE)); 
    CHECK(qiao_timeline_release(turns));
    CHECK(qiao_memory_release(memory));
    CHECK(qiao_program_release(program));
}

int main(int argc, char** argv) {
    qiao_instance* instance = NULL;
    qiao_device* device;
    qiao_queue* queue = NULL;
    int sockets[2], state = 1, is_first;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0) return 2;
    is_first = fork() != 0; /* before Qiao is used: what it makes is of one process */
    close(sockets[is_first]);
    CHECK(qiao_instance_create(NULL, &instance));
    device = sample_device(instance, argc, argv, is_first ? 1 : 2);
    CHECK(qiao_queue_create(device, NULL, &queue));
    (is_first ? first : second)(sockets[!is_first], instance, device, queue);
    CHECK(qiao_queue_release(queue));
    CHECK(qiao_instance_release(instance));
    if (is_first) wait(&state);
    return is_first ? state : 0;
}
