// Runs one operation N times, for callgrind: two runs with different N tell the instructions of one operation, whatever
// start-up costs. Usage: count_instructions MODE N [LIBRARY of the null plugin, null OpenCL, Vulkan or CUDA driver, for raw modes].
#include <qiao/qiao.hpp>

#include "null_device.h"
#include "raw_cuda.h"
#include "raw_opencl.h"
#include "raw_vulkan.h"

namespace {

qiao_launch shape(uint64_t items, uint32_t dimensions) {
    qiao_launch launch = QIAO_LAUNCH_INIT;
    launch.dimensions = dimensions;
    for (uint32_t axis = 0; axis < dimensions; ++axis) {
        launch.global_size[axis] = items;
        launch.group_size[axis] = 4;
    }
    return launch;
}

// The device, as one that has no addresses: the core looks up every address of a launch.
const char* with_made_addresses(const char* device) {
    setenv("QIAO_OPENCL_ADDRESSES", "table", 1);
    return device;
}

void launch_repeatedly(long count, const char* device, uint32_t dimensions, bool changing) {
    bench::ThroughQiao qiao(device);
    const qiao_launch launches[2] = {shape(64, dimensions), shape(changing ? 128 : 64, dimensions)};
    uint64_t value = 0;
    for (long i = 0; i < count; ++i) {
        qiao.block.count = static_cast<uint32_t>(i);
        bench::check(qiao_queue_launch(qiao.queue, qiao.kernel, &launches[i & 1], &qiao.block, sizeof qiao.block, &value), "launch");
    }
    bench::check(qiao_timeline_wait(qiao.timeline, value, QIAO_TIMEOUT_INFINITE), "wait");
}

// The same through qiao.hpp, with the arguments given one by one; and as it is mostly written, with a buffer and a shape on
// the spot.
void launch_typed(long count, bool on_the_spot) {
    bench::ThroughQiao qiao;
    qiao::check(qiao_queue_retain(qiao.queue));
    qiao::Queue queue = qiao::Queue::adopt(qiao.queue);
    qiao::check(qiao_memory_retain(qiao.memory));
    const qiao::Buffer<uint32_t> buffer(qiao::Memory::adopt(qiao.memory));
    const qiao::TypedKernel<qiao::Address<uint32_t>, uint32_t> kernel{qiao::Kernel(qiao.kernel)};
    const qiao::Shape launches[2] = {qiao::Shape(64).in_groups(4), qiao::Shape(64).in_groups(4)};
    const qiao::Address<uint32_t> data = buffer;
    qiao::Point done;
    if (on_the_spot) {
        for (long i = 0; i < count; ++i) done = queue.launch(kernel, qiao::Shape(64).in_groups(4), buffer, static_cast<uint32_t>(i));
    } else {
        for (long i = 0; i < count; ++i) done = queue.launch(kernel, launches[i & 1], data, static_cast<uint32_t>(i));
    }
    done.wait();
}

void launch_raw(long count, const char* library) {
    bench::Raw raw(library);
    bench::Block block{};
    for (long i = 0; i < count; ++i) {
        block.count = static_cast<uint32_t>(i);
        bench::check(raw.launch_slot(raw.queue, raw.kernel, &raw.geometry, &block, nullptr, static_cast<uint64_t>(i) + 1), "launch");
    }
}

// One argument of two changes; nobody waits until the end.
void launch_raw_opencl(long count, const char* library) {
    bench::RawOpenCl raw(library);
    for (long i = 0; i < count; ++i) {
        raw.set_count(static_cast<uint32_t>(i));
        raw.launch(64, 4, nullptr);
    }
    raw.ok(raw.clFinish(raw.queue), "clFinish");
}

void launch_and_wait(long count, const char* device) {
    bench::ThroughQiao qiao(device);
    const qiao_launch launch = shape(64, 1);
    uint64_t value = 0;
    for (long i = 0; i < count; ++i) {
        qiao.block.count = static_cast<uint32_t>(i);
        bench::check(qiao_queue_launch(qiao.queue, qiao.kernel, &launch, &qiao.block, sizeof qiao.block, &value), "launch");
        bench::check(qiao_timeline_wait(qiao.timeline, value, QIAO_TIMEOUT_INFINITE), "wait");
    }
}

void launch_and_wait_raw_opencl(long count, const char* library) {
    bench::RawOpenCl raw(library);
    for (long i = 0; i < count; ++i) {
        raw.set_count(static_cast<uint32_t>(i));
        cl_event event;
        raw.launch(64, 4, &event);
        raw.ok(raw.clFlush(raw.queue), "clFlush");
        raw.ok(raw.clWaitForEvents(1, &event), "clWaitForEvents");
        raw.ok(raw.clReleaseEvent(event), "clReleaseEvent");
    }
}

// In batches as Qiao has them, or one by one.
void launch_raw_vulkan(long count, const char* library, bool waiting) {
    const std::vector<std::byte> module = bench::noop_module();
    bench::RawVulkan raw(module, 4, 12, library);
    bench::Block block{};
    if (!waiting) return raw.run(static_cast<uint32_t>(count), &block);
    for (long i = 0; i < count; ++i) {
        block.count = static_cast<uint32_t>(i);
        raw.run(1, &block);
    }
}

void launch_raw_cuda(long count, const char* library) {
    bench::RawCuda raw(library);
    for (long i = 0; i < count; ++i) raw.launch(4096, static_cast<uint32_t>(i));
}

void ask_timeline(long count) {
    bench::ThroughQiao qiao;
    const qiao_launch launch = shape(64, 1);
    uint64_t value = 0;
    bench::check(qiao_queue_launch(qiao.queue, qiao.kernel, &launch, &qiao.block, sizeof qiao.block, &value), "launch");
    bench::check(qiao_timeline_wait(qiao.timeline, value, QIAO_TIMEOUT_INFINITE), "wait");
    for (long i = 0; i < count; ++i) bench::check(qiao_timeline_reached(qiao.timeline, value), "reached");
}

void allocate_repeatedly(long count, uint64_t size_bytes) {
    bench::ThroughQiao qiao;
    for (long i = 0; i < count; ++i) bench::allocate_and_free(qiao, size_bytes);
}

void ask_limit(long count) {
    bench::ThroughQiao qiao;
    uint64_t value = 0;
    for (long i = 0; i < count; ++i) bench::check(qiao_device_get_limit(qiao.device, QIAO_DEVICE_LIMIT_MAX_GROUP_SIZE, &value), "limit");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    const std::string mode = argv[1];
    const long count = std::atol(argv[2]);
    if (mode == "launch") launch_repeatedly(count, "null:0", 1, false);
    else if (mode == "cpp-launch") launch_typed(count, false);
    else if (mode == "cpp-launch-spot") launch_typed(count, true);
    else if (mode == "launch-2d") launch_repeatedly(count, "null:0", 2, false);
    else if (mode == "launch-3d") launch_repeatedly(count, "null:0", 3, false);
    else if (mode == "shape-change") launch_repeatedly(count, "null:0", 1, true);
    else if (mode == "opencl-launch") launch_repeatedly(count, "opencl:0", 1, false);
    else if (mode == "opencl-table") launch_repeatedly(count, with_made_addresses("opencl:0"), 1, false);
    else if (mode == "opencl-wait") launch_and_wait(count, "opencl:0");
    else if (mode == "raw-opencl-launch" && argc > 3) launch_raw_opencl(count, argv[3]);
    else if (mode == "raw-opencl-wait" && argc > 3) launch_and_wait_raw_opencl(count, argv[3]);
    else if (mode == "cuda-launch") launch_repeatedly(count, "cu:0", 1, false);
    else if (mode == "raw-cuda-launch" && argc > 3) launch_raw_cuda(count, argv[3]);
    else if (mode == "vulkan-launch") launch_repeatedly(count, "vulkan:0", 1, false);
    else if (mode == "vulkan-wait") launch_and_wait(count, "vulkan:0");
    else if (mode == "raw-vulkan-launch" && argc > 3) launch_raw_vulkan(count, argv[3], false);
    else if (mode == "raw-vulkan-wait" && argc > 3) launch_raw_vulkan(count, argv[3], true);
    else if (mode == "reached") ask_timeline(count);
    else if (mode == "pool") allocate_repeatedly(count, 4096);
    else if (mode == "pool-large") allocate_repeatedly(count, 3u << 20);
    else if (mode == "limit") ask_limit(count);
    else if (mode == "raw-launch" && argc > 3) launch_raw(count, argv[3]);
    else return 2;
    return 0;
}
