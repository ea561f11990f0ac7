/* A matrix product with tiles in local memory, checked against the host within the bound that rounding allows. */
#include <float.h>
#include <math.h>

#include "common.h"
#include "matrix_multiply_qpk.h"

#define N 256
#define TILE 16 /* as in the kernel */

struct arguments {
    uint64_t a, b, c;
    int32_t n;
    int32_t unused; /* what the compiler would add by itself */
};

/* Numbers from 0 to 1 that are the same everywhere. */
static void fill(float* values, uint32_t state) {
    int i;
    for (i = 0; i < N * N; ++i) {
        state = state * 1664525u + 1013904223u;
        values[i] = (float)(state >> 8) / (float)(1u << 24);
    }
}

/* The largest relative error of c. */
static double largest_error(const float* a, const float* b, const float* c) {
    double largest = 0.0;
    int row, column, k;
    for (row = 0; row < N; ++row) {
        for (column = 0; column < N; ++column) {
            double sum = 0.0;
            double error;
            for (k = 0; k < N; ++k)
                sum += (double)a[row * N + k] * (double)b[k * N + column];
            error = fabs(c[row * N + column] - sum) / sum;
            if (!(error <= largest)) largest = error; /* also a NaN */
        }
    }
    return largest;
}

int main(int argc, char** argv) {
    static float a[N * N], b[N * N], c[N * N];
    /* N roundings of a sum of positive numbers: each adds at most half a unit in the last place. */
    const double bound = N * (double)FLT_EPSILON / 2 * 1.01;
    double error;
    qiao_instance* instance = NULL;
    qiao_device* device;
    qiao_program* program;
    qiao_kernel* kernel = NULL;
    qiao_queue* queue = NULL;
    qiao_timeline* timeline = NULL;
    qiao_memory* memory[3];
    qiao_launch launch = QIAO_LAUNCH_INIT;
    struct arguments arguments = {0, 0, 0, N, 0};
    uint64_t done = 0;
    int i;

    fill(a, 1);
    fill(b, 2);
    CHECK(qiao_instance_create(NULL, &instance));
    device = sample_device(instance, argc, argv, 1);
    program = sample_program(device, matrix_multiply_qpk, matrix_multiply_qpk_size);
    CHECK(qiao_program_get_kernel(program, "matrix_multiply", &kernel));
    CHECK(qiao_queue_create(device, NULL, &queue));
    CHECK(qiao_queue_get_timeline(queue, &timeline));
    memory[0] = sample_memory(device, a, sizeof a, &arguments.a);
    memory[1] = sample_memory(device, b, sizeof b, &arguments.b);
    memory[2] = sample_memory(device, NULL, sizeof c, &arguments.c);

    launch.dimensions = 2;
    launch.global_size[0] = launch.global_size[1] = N;
    launch.group_size[0] = launch.group_size[1] = TILE;
    launch.group_size[2] = 1;
    CHECK(qiao_queue_launch(queue, kernel, &launch, &arguments, sizeof arguments, &done));
    CHECK(qiao_timeline_wait(timeline, done, QIAO_TIMEOUT_INFINITE));
    CHECK(qiao_memory_read(memory[2], 0, c, sizeof c));

    error = largest_error(a, b, c);
    printf("largest relative error %.2e, bound %.2e\n", error, bound);

    for (i = 0; i < 3; ++i)
        CHECK(qiao_memory_release(memory[i]));
    CHECK(qiao_queue_release(queue));
    CHECK(qiao_program_release(program));
    CHECK(qiao_instance_release(instance));
    return error <= bound ? 0 : 1;
}
