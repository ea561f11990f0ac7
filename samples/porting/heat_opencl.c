/* Heat in a plate, until it hardly changes any more. As it was written for OpenCL. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE 128
#define GROUP 16
#define GROUPS (SIZE / GROUP * (SIZE / GROUP))
#define STEPS_BETWEEN_LOOKS 100

static void check(cl_int code, const char* what) {
    if (code == CL_SUCCESS) return;
    fprintf(stderr, "%s failed: error %d\n", what, code);
    exit(1);
}

static char* read_file(const char* path, size_t* size) {
    FILE* file = fopen(path, "rb");
    char* text;
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    text = malloc(*size);
    if (text == NULL || fread(text, 1, *size, file) != *size) {
        perror(path);
        exit(1);
    }
    fclose(file);
    return text;
}

static cl_program build(cl_context context, cl_device_id device, const char* path) {
    cl_int code;
    size_t size;
    char* source = read_file(path, &size);
    cl_program program = clCreateProgramWithSource(context, 1, (const char**)&source, &size, &code);
    check(code, "clCreateProgramWithSource");
    if (clBuildProgram(program, 1, &device, "", NULL, NULL) != CL_SUCCESS) {
        static char log[65536];
        clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, sizeof log, log, NULL);
        fprintf(stderr, "%s\n", log);
        exit(1);
    }
    free(source);
    return program;
}

int main(int argc, char** argv) {
    static float plate[SIZE * SIZE], changes[GROUPS];
    const size_t global[2] = {SIZE, SIZE}, group[2] = {GROUP, GROUP};
    const cl_int size = SIZE;
    cl_platform_id platform;
    cl_device_id device;
    cl_context context;
    cl_command_queue queue;
    cl_program program;
    cl_kernel kernel;
    cl_mem plates[2], change;
    cl_int code;
    float most = 1;
    int steps = 0, i;

    check(clGetPlatformIDs(1, &platform, NULL), "clGetPlatformIDs");
    check(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL), "clGetDeviceIDs");
    context = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
    check(code, "clCreateContext");
    queue = clCreateCommandQueue(context, device, 0, &code);
    check(code, "clCreateCommandQueue");
    program = build(context, device, argc > 1 ? argv[1] : "heat.cl");
    kernel = clCreateKernel(program, "heat_step", &code);
    check(code, "clCreateKernel");

    for (i = 0; i < SIZE; ++i)
        plate[i] = 100; /* one edge is hot */
    for (i = 0; i < 2; ++i) {
        plates[i] = clCreateBuffer(context, CL_MEM_READ_WRITE, sizeof plate, NULL, &code);
        check(code, "clCreateBuffer");
        check(clEnqueueWriteBuffer(queue, plates[i], CL_TRUE, 0, sizeof plate, plate, 0, NULL, NULL), "clEnqueueWriteBuffer");
    }
    change = clCreateBuffer(context, CL_MEM_READ_WRITE, sizeof changes, NULL, &code);
    check(code, "clCreateBuffer");

    while (most > 1e-3f) {
        for (i = 0; i < STEPS_BETWEEN_LOOKS; ++i, ++steps) {
            check(clSetKernelArg(kernel, 0, sizeof(cl_mem), &plates[steps % 2]), "clSetKernelArg");
            check(clSetKernelArg(kernel, 1, sizeof(cl_mem), &plates[(steps + 1) % 2]), "clSetKernelArg");
            check(clSetKernelArg(kernel, 2, sizeof(cl_mem), &change), "clSetKernelArg");
            check(clSetKernelArg(kernel, 3, GROUP * GROUP * sizeof(float), NULL), "clSetKernelArg");
            check(clSetKernelArg(kernel, 4, sizeof size, &size), "clSetKernelArg");
            check(clEnqueueNDRangeKernel(queue, kernel, 2, NULL, global, group, 0, NULL, NULL), "clEnqueueNDRangeKernel");
        }
        check(clEnqueueReadBuffer(queue, change, CL_TRUE, 0, sizeof changes, changes, 0, NULL, NULL), "clEnqueueReadBuffer");
        for (most = 0, i = 0; i < GROUPS; ++i)
            most = changes[i] > most ? changes[i] : most;
    }
    check(clEnqueueReadBuffer(queue, plates[steps % 2], CL_TRUE, 0, sizeof plate, plate, 0, NULL, NULL), "clEnqueueReadBuffer");
    printf("%d steps, %.4f degrees in the middle\n", steps, (double)plate[SIZE / 2 * SIZE + SIZE / 2]);

    clReleaseMemObject(change);
    clReleaseMemObject(plates[0]);
    clReleaseMemObject(plates[1]);
    clReleaseKernel(kernel);
    clReleaseProgram(program);
    clReleaseCommandQueue(queue);
    clReleaseContext(context);
    return 0;
}
