#include "case.h"

#include <cstdio>
#include <mutex>
#include <numeric>

namespace faults {

const char* const kSource = R"(
kernel void add(global const uint* a, global const uint* b, global uint* out) {
    size_t i = get_global_id(0);
    out[i] = a[i] + b[i];
}
)";

void check(qiao_status status, const char* call) {
    if (status == QIAO_OK) return;
    qiao_error error = QIAO_ERROR_INIT;
    qiao_error_query(&error);
    if (status < 0 && (error.status != status || *error.message == '\0')) {
        complain(std::string(call) + " failed with " + qiao_status_get_name(status) + ", the record says " +
                 qiao_status_get_name(error.status) + " \"" + error.message + "\"");
    }
    throw Stopped{status, std::string(call) + ": " + (status < 0 ? error.message : "")};
}

void expect(bool right, const char* what) {
    if (!right) complain(std::string("wrong result reported as right: ") + what);
}

Memory allocate(qiao_device* device, uint64_t size_bytes, qiao_memory_kind kind) {
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    desc.size_bytes = size_bytes;
    desc.kind = kind;
    qiao_memory* memory = nullptr;
    CHECK(qiao_memory_allocate(device, &desc, &memory));
    return Memory(memory);
}

Memory upload(qiao_device* device, const std::vector<uint32_t>& values) {
    Memory memory = allocate(device, values.size() * sizeof(uint32_t));
    CHECK(qiao_memory_write(memory.get(), 0, values.data(), values.size() * sizeof(uint32_t)));
    return memory;
}

std::vector<uint32_t> download(const Memory& memory, size_t count) {
    std::vector<uint32_t> values(count);
    CHECK(qiao_memory_read(memory.get(), 0, values.data(), count * sizeof(uint32_t)));
    return values;
}

uint64_t address_of(const Memory& memory) {
    uint64_t address = 0;
    CHECK(qiao_memory_get_address(memory.get(), &address));
    return address;
}

Queue make_queue(qiao_device* device, uint64_t flags) {
    qiao_queue_desc desc = QIAO_QUEUE_DESC_INIT;
    desc.flags = flags;
    qiao_queue* queue = nullptr;
    CHECK(qiao_queue_create(device, &desc, &queue));
    return Queue(queue);
}

Program load(const Session& session, qiao_device* device) {
    qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
    desc.name = "sweep";
    desc.data = session.package->data();
    desc.size_bytes = session.package->size();
    qiao_program* program = nullptr;
    CHECK(qiao_program_create_from_package(device, &desc, &program));
    return Program(program);
}

qiao_kernel* kernel_of(const Program& program, const char* name) {
    qiao_kernel* kernel = nullptr;
    CHECK(qiao_program_get_kernel(program.get(), name, &kernel));
    return kernel;
}

void wait_for(const Session& session, const Queue& queue, uint64_t value) {
    qiao_timeline* timeline = nullptr;
    CHECK(qiao_queue_get_timeline(queue.get(), &timeline));
    CHECK(qiao_timeline_wait(timeline, value, session.patience_ns));
}

std::vector<uint32_t> numbers(size_t count, uint32_t first) {
    std::vector<uint32_t> values(count);
    std::iota(values.begin(), values.end(), first);
    return values;
}

uint64_t launch_add(const Queue& queue, qiao_kernel* kernel, const Memory& a, const Memory& b, const Memory& out,
                    uint32_t count) {
    const uint64_t block[3] = {address_of(a), address_of(b), address_of(out)};
    qiao_launch launch = QIAO_LAUNCH_INIT;
    launch.global_size[0] = count;
    uint64_t value = 0;
    CHECK(qiao_queue_launch(queue.get(), kernel, &launch, block, sizeof block, &value));
    return value;
}

} // namespace faults
