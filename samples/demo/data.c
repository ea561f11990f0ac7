/* Writes the demonstration's inputs into a folder, and what must come out, computed on the host in double or in integers.
 * Everything is made from fixed seeds: the same files on every machine. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 1024
#define HEIGHT 768
#define RADIUS 12
#define SIGMA 4.0
#define N 512
#define COUNT (16 * 1024 * 1024)

static unsigned char picture[HEIGHT][WIDTH][3];
static float a[N][N], b[N][N], product[N][N];
static uint32_t integers[COUNT];
static float floats[COUNT];

static uint32_t next(uint32_t* state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static float next_float(uint32_t* state) {
    return (float)(next(state) >> 8) / (float)(1u << 24);
} /* 0 to 1 */

/* A .npy file, version 1.0: ten bytes, a header that fills up to 128, the data. */
static void write_npy(const char* folder, const char* name, const char* type, const char* shape, const void* data,
                      size_t size) {
    char path[4096];
    char header[128];
    char text[128];
    FILE* file;
    memset(header, ' ', sizeof header);
    memcpy(header, "\x93NUMPY\x01\x00\x76\x00", 10);
    snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", type, shape);
    memcpy(header + 10, text, strlen(text));
    header[127] = '\n';
    snprintf(path, sizeof path, "%s/%s.npy", folder, name);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(header, sizeof header, 1, file) != 1 || fwrite(data, size, 1, file) != 1 ||
        fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

/* What filters are judged by: rings that become finer, hard edges, soft gradients, and noise. */
static void draw(void) {
    uint32_t state = 1;
    int x, y;
    for (y = 0; y < HEIGHT; ++y) {
        for (x = 0; x < WIDTH; ++x) {
            const double dx = x - WIDTH / 2, dy = y - HEIGHT / 2;
            const double rings = 0.5 + 0.5 * cos((dx * dx + dy * dy) / 600.0);
            const int square = (x / 64 + y / 64) % 2;
            const int disc = (x - 800) * (x - 800) + (y - 180) * (y - 180) < 120 * 120;
            picture[y][x][0] = (unsigned char)(disc ? 230 : 255.0 * rings);
            picture[y][x][1] = (unsigned char)(disc ? 60 : x < WIDTH / 2 ? 200 * square + x / 20 : x / 4);
            picture[y][x][2] = (unsigned char)(disc ? 40 : y > HEIGHT * 3 / 4 ? (int)(next(&state) >> 24) : y / 3);
        }
    }
}

static void write_weights(const char* folder) {
    float weights[RADIUS + 1];
    char shape[16];
    double sum = 0.0;
    int i;
    for (i = 0; i <= RADIUS; ++i)
        sum += (i == 0 ? 1.0 : 2.0) * exp(-i * i / (2.0 * SIGMA * SIGMA));
    for (i = 0; i <= RADIUS; ++i)
        weights[i] = (float)(exp(-i * i / (2.0 * SIGMA * SIGMA)) / sum);
    snprintf(shape, sizeof shape, "%d,", RADIUS + 1);
    write_npy(folder, "weights", "<f4", shape, weights, sizeof weights);
}

static void write_matrices(const char* folder) {
    static double row_sums[N];
    uint32_t state = 2;
    int row, column, k;
    for (row = 0; row < N; ++row) {
        for (column = 0; column < N; ++column) {
            a[row][column] = next_float(&state);
            b[row][column] = next_float(&state);
        }
    }
    for (row = 0; row < N; ++row) {
        memset(row_sums, 0, sizeof row_sums);
        for (k = 0; k < N; ++k) {
            for (column = 0; column < N; ++column)
                row_sums[column] += (double)a[row][k] * (double)b[k][column];
        }
        for (column = 0; column < N; ++column)
            product[row][column] = (float)row_sums[column];
    }
    write_npy(folder, "a", "<f4", "512, 512", a, sizeof a);
    write_npy(folder, "b", "<f4", "512, 512", b, sizeof b);
    write_npy(folder, "product", "<f4", "512, 512", product, sizeof product);
}

static void write_numbers(const char* folder) {
    uint32_t state = 3;
    uint32_t integer_sum = 0; /* modulo 2^32, as on the device */
    double sum = 0.0;
    float float_sum;
    int i;
    for (i = 0; i < COUNT; ++i) {
        integers[i] = next(&state);
        floats[i] = next_float(&state);
        integer_sum += integers[i];
        sum += (double)floats[i];
    }
    float_sum = (float)sum;
    write_npy(folder, "integers", "<u4", "16777216,", integers, sizeof integers);
    write_npy(folder, "integers_sum", "<u4", "1,", &integer_sum, sizeof integer_sum);
    write_npy(folder, "floats", "<f4", "16777216,", floats, sizeof floats);
    write_npy(folder, "floats_sum", "<f4", "1,", &float_sum, sizeof float_sum);
}

int main(int argc, char** argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: demo_data FOLDER\n");
        return 2;
    }
    draw();
    write_npy(argv[1], "picture", "|u1", "768, 1024, 3", picture, sizeof picture);
    write_weights(argv[1]);
    write_matrices(argv[1]);
    write_numbers(argv[1]);
    return 0;
}
