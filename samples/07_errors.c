/* What the library says when something is wrong: each mistake here is made on purpose, its record printed, its status checked. */
#include "common.h"
#include "vector_add_qpk.h"

static int mistakes_missed = 0;

/* Prints the record of a call that had to fail. */
static void expect(const char* what, qiao_status status, qiao_status wanted) {
    qiao_error error = QIAO_ERROR_INIT;
    printf("%s: %s\n", what, qiao_status_get_name(status));
    if (status != wanted) {
        printf("    but it had to be %s\n", qiao_status_get_name(wanted));
        ++mistakes_missed;
        return;
    }
    qiao_error_query(&error); /* of this thread's last failure: ask at once */
    printf("    %s\n", error.message);
    if (error.line != 0) printf("    line: %u\n", error.line);
    if (*error.object != '\0') printf("    object: %s\n", error.object);
    if (*error.plugin != '\0')
        printf("    plugin: %s, its code %s %lld\n", error.plugin, error.vendor_text, (long long)error.vendor_code);
    if (*error.log != '\0') printf("    log:\n%s\n", error.log);
    if (*error.remedy != '\0') printf("    try: %s\n", error.remedy);
}

static qiao_status build(qiao_device* device, const char* source, qiao_program** out_program) {
    qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
    desc.data = source;
    desc.size_bytes = strlen(source);
    desc.name = "mistake.cl";
    return qiao_program_create_from_source(device, &desc, out_program);
}

static void programs(qiao_device* device) {
    qiao_program* program = NULL;
    qiao_kernel* kernel = NULL;
    expect("a source that does not compile",
           build(device, "kernel void f(global int* x) {\n    x[0] = missing;\n}\n", &program), QIAO_ERROR_BUILD);
    CHECK(build(device, "kernel void f(global int* x) { x[0] = 1; }", &program));
    expect("a kernel that does not exist", qiao_program_get_kernel(program, "g", &kernel), QIAO_ERROR_NOT_FOUND);
    CHECK(qiao_program_release(program));
}

static void memory(qiao_device* device) {
    char bytes[16];
    uint64_t address = 0;
    qiao_memory* memory = NULL;
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    expect("an allocation of nothing", qiao_memory_allocate(device, &desc, &memory), QIAO_ERROR_OUT_OF_RANGE);
    desc.size_bytes = UINT64_MAX;
    expect("an allocation of everything", qiao_memory_allocate(device, &desc, &memory), QIAO_ERROR_OUT_OF_RANGE);
    memory = sample_memory(device, NULL, 64, &address);
    expect("a read past the end", qiao_memory_read(memory, 60, bytes, sizeof bytes), QIAO_ERROR_OUT_OF_RANGE);
    CHECK(qiao_memory_release(memory));
    expect("a memory that was released", qiao_memory_get_address(memory, &address), QIAO_ERROR_INVALID_HANDLE);
}

static void launches(qiao_device* device) {
    uint64_t arguments[1] = {0};
    qiao_program* program = sample_program(device, vector_add_qpk, vector_add_qpk_size);
    qiao_kernel* kernel = NULL;
    qiao_queue* queue = NULL;
    qiao_launch launch = QIAO_LAUNCH_INIT;
    CHECK(qiao_program_get_kernel(program, "vector_scale", &kernel));
    CHECK(qiao_queue_create(device, NULL, &queue));
    launch.global_size[0] = 1000;
    expect("an argument block that is too short", qiao_queue_launch(queue, kernel, &launch, arguments, 8, NULL),
           QIAO_ERROR_INVALID_ARGUMENT);
    launch.group_size[0] = 1u << 30;
    launch.group_size[1] = launch.group_size[2] = 1;
    launch.global_size[0] = 1u << 30;
    expect("a group that no device has", qiao_queue_launch(queue, kernel, &launch, arguments, 16, NULL),
           QIAO_ERROR_OUT_OF_RANGE);
    CHECK(qiao_queue_release(queue));
    CHECK(qiao_program_release(program));
}

int main(int argc, char** argv) {
    qiao_instance* instance = NULL;
    qiao_device* device = NULL;
    CHECK(qiao_instance_create(NULL, &instance));
    expect("a device that does not exist", qiao_instance_find_device(instance, "quantum:0", &device),
           QIAO_ERROR_NOT_FOUND);
    device = sample_device(instance, argc, argv, 1);
    programs(device);
    memory(device);
    launches(device);
    CHECK(qiao_instance_release(instance));
    return mistakes_missed == 0 ? 0 : 1;
}
