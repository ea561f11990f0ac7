/* Bodies that attract each other. As it was written for CUDA's driver interface: nbody_cuda nbody.cubin */
#include <cuda.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT 1024
#define TILE 64
#define STEPS 50

struct body {
    float x, y, z, mass;
};

static void check(CUresult code, const char* what) {
    const char* text = "";
    if (code == CUDA_SUCCESS) return;
    cuGetErrorString(code, &text);
    fprintf(stderr, "%s failed: %s\n", what, text);
    exit(1);
}

static char* read_file(const char* path) {
    FILE* file = fopen(path, "rb");
    long size;
    char* bytes;
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    bytes = calloc(1, (size_t)size + 1);
    if (bytes == NULL || fread(bytes, 1, (size_t)size, file) != (size_t)size) {
        perror(path);
        exit(1);
    }
    fclose(file);
    return bytes;
}

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

int main(int argc, char** argv) {
    static struct body bodies[COUNT];
    CUdevice device;
    CUcontext context;
    CUmodule module;
    CUfunction function;
    CUstream stream;
    CUdeviceptr positions[2], velocities;
    int count = COUNT, step, i;
    float dt = 0.01f;
    double sum[3] = {0, 0, 0};
    char* image = read_file(argc > 1 ? argv[1] : "nbody.cubin");

    place(bodies);
    check(cuInit(0), "cuInit");
    check(cuDeviceGet(&device, 0), "cuDeviceGet");
    check(cuDevicePrimaryCtxRetain(&context, device), "cuDevicePrimaryCtxRetain");
    check(cuCtxSetCurrent(context), "cuCtxSetCurrent");
    check(cuModuleLoadData(&module, image), "cuModuleLoadData");
    check(cuModuleGetFunction(&function, module, "nbody_step"), "cuModuleGetFunction");
    check(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
    check(cuMemAlloc(&positions[0], sizeof bodies), "cuMemAlloc");
    check(cuMemAlloc(&positions[1], sizeof bodies), "cuMemAlloc");
    check(cuMemAlloc(&velocities, sizeof bodies), "cuMemAlloc");
    check(cuMemcpyHtoD(positions[0], bodies, sizeof bodies), "cuMemcpyHtoD");
    check(cuMemsetD32Async(velocities, 0, sizeof bodies / 4, stream), "cuMemsetD32Async");

    for (step = 0; step < STEPS; ++step) {
        void* arguments[] = {&positions[step % 2], &positions[(step + 1) % 2], &velocities, &count, &dt};
        check(cuLaunchKernel(function, COUNT / TILE, 1, 1, TILE, 1, 1, 0, stream, arguments, NULL), "cuLaunchKernel");
    }
    check(cuStreamSynchronize(stream), "cuStreamSynchronize");
    check(cuMemcpyDtoH(bodies, positions[STEPS % 2], sizeof bodies), "cuMemcpyDtoH");
    for (i = 0; i < COUNT; ++i) {
        sum[0] += (double)bodies[i].x;
        sum[1] += (double)bodies[i].y;
        sum[2] += (double)bodies[i].z;
    }
    printf("%d steps, centre at %.5f %.5f %.5f\n", STEPS, sum[0] / COUNT, sum[1] / COUNT, sum[2] / COUNT);

    cuMemFree(positions[0]);
    cuMemFree(positions[1]);
    cuMemFree(velocities);
    cuStreamDestroy(stream);
    cuModuleUnload(module);
    cuDevicePrimaryCtxRelease(device);
    free(image);
    return 0;
}
