/* Filters a rectangle of a picture: 2-D copies take it out of the picture and put it back, two launches follow each other on
 * one queue, and nothing is waited for in between. Give a device and a file name to see the picture (PPM). */
#include <math.h>

#include "common.h"
#include "gaussian_qpk.h"

#define WIDTH 640
#define HEIGHT 480
#define CHANNELS 3
#define RADIUS 6
#define LEFT 160 /* the rectangle */
#define TOP 120
#define PART_WIDTH 320
#define PART_HEIGHT 240

struct rows_arguments {
    uint64_t input, output, weights;
    int32_t radius, width, channels, unused;
};
struct columns_arguments {
    uint64_t input, output, weights;
    int32_t radius, height, channels, unused;
};

static unsigned char picture[HEIGHT][WIDTH][CHANNELS], result[HEIGHT][WIDTH][CHANNELS];

/* Squares of 40 pixels. */
static void draw(void) {
    int x, y;
    for (y = 0; y < HEIGHT; ++y) {
        for (x = 0; x < WIDTH; ++x) {
            picture[y][x][0] = (unsigned char)(((x / 40 + y / 40) % 2) * 255);
            picture[y][x][1] = (unsigned char)(x * 255 / WIDTH);
            picture[y][x][2] = (unsigned char)(y * 255 / HEIGHT);
        }
    }
}

static void make_weights(float* weights) {
    float sum = 0.0f;
    int i;
    for (i = 0; i <= RADIUS; ++i) {
        weights[i] = expf(-(float)(i * i) / 8.0f);
        sum += i == 0 ? weights[i] : 2.0f * weights[i];
    }
    for (i = 0; i <= RADIUS; ++i)
        weights[i] /= sum;
}

/* Outside the rectangle nothing may change; inside, the edge of a square must have become soft. */
static int check_result(void) {
    int x, y, changed = 0;
    for (y = 0; y < HEIGHT; ++y) {
        for (x = 0; x < WIDTH; ++x) {
            const int inside = x >= LEFT && x < LEFT + PART_WIDTH && y >= TOP && y < TOP + PART_HEIGHT;
            if (memcmp(picture[y][x], result[y][x], CHANNELS) == 0) continue;
            if (!inside) return 0;
            ++changed;
        }
    }
    printf("%d pixels have changed, all inside the rectangle\n", changed);
    return result[TOP + 20][LEFT + 40][0] > 100 && result[TOP + 20][LEFT + 40][0] < 255;
}

int main(int argc, char** argv) {
    float weights[RADIUS + 1];
    const uint64_t offset = (TOP * WIDTH + LEFT) * CHANNELS;
    const uint64_t values = PART_WIDTH * PART_HEIGHT * CHANNELS;
    struct rows_arguments rows = {0, 0, 0, RADIUS, PART_WIDTH, CHANNELS, 0};
    struct columns_arguments columns = {0, 0, 0, RADIUS, PART_HEIGHT, CHANNELS, 0};
    qiao_instance* instance = NULL;
    qiao_kernel *rows_kernel = NULL, *columns_kernel = NULL;
    qiao_queue* queue = NULL;
    qiao_timeline* timeline = NULL;
    qiao_launch launch = QIAO_LAUNCH_INIT;
    qiao_copy in = QIAO_COPY_INIT, out = QIAO_COPY_INIT;
    uint64_t done = 0;
    qiao_device* device;
    qiao_program* program;
    qiao_memory* memory[3];
    int good, i;

    draw();
    make_weights(weights);
    memcpy(result, picture, sizeof result);
    CHECK(qiao_instance_create(NULL, &instance));
    device = sample_device(instance, argc, argv, 1);
    program = sample_program(device, gaussian_qpk, gaussian_qpk_size);
    CHECK(qiao_program_get_kernel(program, "gaussian_rows", &rows_kernel));
    CHECK(qiao_program_get_kernel(program, "gaussian_columns", &columns_kernel));
    CHECK(qiao_queue_create(device, NULL, &queue));
    CHECK(qiao_queue_get_timeline(queue, &timeline));
    memory[0] = sample_memory(device, NULL, values, &rows.input);
    memory[1] = sample_memory(device, NULL, values * sizeof(float), &rows.output);
    memory[2] = sample_memory(device, weights, sizeof weights, &rows.weights);
    columns.input = rows.output;
    columns.output = rows.input; /* the first pass has read it by then */
    columns.weights = rows.weights;

    in.source.address = (uint64_t)(uintptr_t)picture + offset; /* no device: host memory */
    in.target.device = device;
    in.target.address = rows.input;
    in.size_bytes = in.target_pitch = PART_WIDTH * CHANNELS;
    in.rows = PART_HEIGHT;
    in.source_pitch = WIDTH * CHANNELS;
    out = in;
    out.source = in.target;
    out.source_pitch = in.target_pitch;
    out.target.device = NULL;
    out.target.address = (uint64_t)(uintptr_t)result + offset;
    out.target_pitch = in.source_pitch;
    launch.dimensions = 3;
    launch.global_size[0] = PART_WIDTH;
    launch.global_size[1] = PART_HEIGHT;
    launch.global_size[2] = CHANNELS;

    CHECK(qiao_queue_copy(queue, &in, NULL));
    CHECK(qiao_queue_launch(queue, rows_kernel, &launch, &rows, sizeof rows, NULL));
    CHECK(qiao_queue_launch(queue, columns_kernel, &launch, &columns, sizeof columns, NULL));
    CHECK(qiao_queue_copy(queue, &out, &done));
    CHECK(qiao_timeline_wait(timeline, done, QIAO_TIMEOUT_INFINITE));
    good = check_result();

    if (argc > 2) {
        FILE* file = fopen(argv[2], "wb");
        if (file == NULL || fprintf(file, "P6 %d %d 255\n", WIDTH, HEIGHT) < 0 ||
            fwrite(result, sizeof result, 1, file) != 1 || fclose(file) != 0) {
            perror(argv[2]);
            good = 0;
        }
    }
    for (i = 0; i < 3; ++i)
        CHECK(qiao_memory_release(memory[i]));
    CHECK(qiao_queue_release(queue));
    CHECK(qiao_program_release(program));
    CHECK(qiao_instance_release(instance));
    return good ? 0 : 1;
}
