/* What the samples share: leaving with the library's own explanation when a call fails, the device named on the command
 * line, and loading kernels. 02_vector_add.c does without, to show a whole program. */
#ifndef QIAO_SAMPLES_COMMON_H
#define QIAO_SAMPLES_COMMON_H

#include <qiao/qiao.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(call) sample_check((call), #call)

static inline void sample_check(qiao_status status, const char* call) {
    qiao_error error = QIAO_ERROR_INIT;
    if (status == QIAO_OK) return;
    qiao_error_query(&error);
    fprintf(stderr, "%s\n  %s: %s\n", call, qiao_status_get_name(status), status < 0 ? error.message : "");
    if (status < 0 && *error.log != '\0') fprintf(stderr, "%s\n", error.log);
    if (status < 0 && *error.remedy != '\0') fprintf(stderr, "  try: %s\n", error.remedy);
    exit(1);
}

/* The device that the argument names ("opencl:*"), or the first one. */
static inline qiao_device* sample_device(qiao_instance* instance, int argc, char** argv, int argument) {
    qiao_device* device = NULL;
    qiao_device_properties properties = QIAO_DEVICE_PROPERTIES_INIT;
    CHECK(qiao_instance_find_device(instance, argc > argument ? argv[argument] : "*", &device));
    CHECK(qiao_device_query_properties(device, &properties));
    printf("%s: %s\n", properties.id, properties.name);
    return device;
}

/* Loads a package that qiao_add_kernels has put into the program; it is the caller's to release. */
static inline qiao_program* sample_program(qiao_device* device, const void* package, size_t size) {
    qiao_program* program = NULL;
    qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
    desc.data = package;
    desc.size_bytes = size;
    CHECK(qiao_program_create_from_package(device, &desc, &program));
    return program;
}

/* Memory on the device with these bytes in it (null = undefined), and its address. */
static inline qiao_memory* sample_memory(qiao_device* device, const void* bytes, uint64_t size, uint64_t* out_address) {
    qiao_memory* memory = NULL;
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    desc.size_bytes = size;
    CHECK(qiao_memory_allocate(device, &desc, &memory));
    CHECK(qiao_memory_get_address(memory, out_address));
    if (bytes != NULL) CHECK(qiao_memory_write(memory, 0, bytes, size));
    return memory;
}

#endif
