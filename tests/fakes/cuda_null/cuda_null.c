/* One device whose memory is the host's. Copies are made at once, kernels do nothing, events are reached when they are recorded. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int Result;
enum { kSuccess = 0, kInvalidValue = 1, kOutOfMemory = 2 };

static int context_object, stream_object, module_object, function_object;
static _Thread_local void* current;

Result cuInit(unsigned flags) {
    return flags == 0 ? kSuccess : kInvalidValue;
}
Result cuDeviceGetCount(int* count) {
    *count = 1;
    return kSuccess;
}
Result cuDeviceGet(int* device, int ordinal) {
    *device = ordinal;
    return ordinal == 0 ? kSuccess : kInvalidValue;
}
Result cuDeviceGetName(char* name, int size, int device) {
    (void)device;
    strncpy(name, "Null card", (size_t)size);
    return kSuccess;
}
Result cuDeviceTotalMem_v2(size_t* bytes, int device) {
    (void)device;
    *bytes = (size_t)1 << 30;
    return kSuccess;
}
Result cuDeviceGetAttribute(int* value, int attribute, int device) {
    (void)device;
    *value = attribute <= 7 ? 1024 : attribute == 8 ? 49152 : attribute == 10 ? 32 : attribute == 16 ? 1 : 0;
    return kSuccess;
}
Result cuDevicePrimaryCtxRetain(void** context, int device) {
    (void)device;
    *context = &context_object;
    return kSuccess;
}
Result cuDevicePrimaryCtxRelease_v2(int device) {
    (void)device;
    return kSuccess;
}
Result cuCtxSetCurrent(void* context) {
    current = context;
    return kSuccess;
}
Result cuCtxGetCurrent(void** context) {
    *context = current;
    return kSuccess;
}
Result cuMemAlloc_v2(uint64_t* address, size_t size) {
    void* pointer = malloc(size);
    *address = (uint64_t)(uintptr_t)pointer;
    return pointer != NULL ? kSuccess : kOutOfMemory;
}
Result cuMemFree_v2(uint64_t address) {
    free((void*)(uintptr_t)address);
    return kSuccess;
}
Result cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t size, void* stream) {
    (void)stream;
    memcpy((void*)(uintptr_t)to, from, size);
    return kSuccess;
}
Result cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t size, void* stream) {
    (void)stream;
    memcpy(to, (const void*)(uintptr_t)from, size);
    return kSuccess;
}
Result cuStreamCreate(void** stream, unsigned flags) {
    (void)flags;
    *stream = &stream_object;
    return kSuccess;
}
Result cuStreamDestroy_v2(void* stream) {
    (void)stream;
    return kSuccess;
}
Result cuEventCreate(void** event, unsigned flags) {
    (void)flags;
    *event = malloc(1);
    return *event != NULL ? kSuccess : kOutOfMemory;
}
Result cuEventDestroy_v2(void* event) {
    free(event);
    return kSuccess;
}
Result cuEventRecord(void* event, void* stream) {
    (void)event, (void)stream;
    return kSuccess;
}
Result cuEventQuery(void* event) {
    (void)event;
    return kSuccess;
}
Result cuModuleLoadData(void** module, const void* image) {
    (void)image;
    *module = &module_object;
    return kSuccess;
}
Result cuModuleUnload(void* module) {
    (void)module;
    return kSuccess;
}
Result cuModuleGetFunction(void** function, void* module, const char* name) {
    (void)module, (void)name;
    *function = &function_object;
    return kSuccess;
}
Result cuLaunchKernel(void* function, unsigned x, unsigned y, unsigned z, unsigned group_x, unsigned group_y, unsigned group_z, unsigned local_bytes,
                      void* stream, void** parameters, void** extra) {
    (void)x, (void)y, (void)z, (void)group_x, (void)group_y, (void)group_z, (void)local_bytes, (void)stream;
    return function != NULL && (parameters != NULL || extra != NULL) ? kSuccess : kInvalidValue;
}
