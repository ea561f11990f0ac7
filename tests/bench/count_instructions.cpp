// Runs one operation N times, for callgrind: two runs with different N tell the instructions of one operation, whatever
// start-up costs. Usage: count_instructions MODE N [LIBRARY of the null plugin, for raw modes].
#include "null_device.h"

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

void launch_repeatedly(long count, uint32_t dimensions, bool changing) {
    bench::ThroughQiao qiao;
    const qiao_launch launches[2] = {shape(64, dimensions), shape(changing ? 128 : 64, dimensions)};
    uint64_t value = 0;
    for (long i = 0; i < count; ++i) {
        qiao.block.count = static_cast<uint32_t>(i);
        bench::check(qiao_queue_launch(qiao.queue, qiao.kernel, &launches[i & 1], &qiao.block, sizeof qiao.block, &value), "launch");
    }
    bench::check(qiao_timeline_wait(qiao.timeline, value, QIAO_TIMEOUT_INFINITE), "wait");
}

void launch_raw(long count, const char* library) {
    bench::Raw raw(library);
    bench::Block block{};
    for (long i = 0; i < count; ++i) {
        block.count = static_cast<uint32_t>(i);
        bench::check(raw.launch_slot(raw.queue, raw.kernel, &raw.geometry, &block, nullptr, static_cast<uint64_t>(i) + 1), "launch");
    }
}

void ask_timeline(long count) {
    bench::ThroughQiao qiao;
    const qiao_launch launch = shape(64, 1);
    uint64_t value = 0;
    bench::check(qiao_queue_launch(qiao.queue, qiao.kernel, &launch, &qiao.block, sizeof qiao.block, &value), "launch");
    bench::check(qiao_timeline_wait(qiao.timeline, value, QIAO_TIMEOUT_INFINITE), "wait");
    for (long i = 0; i < count; ++i) bench::check(qiao_timeline_reached(qiao.timeline, value), "reached");
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
    if (mode == "launch") launch_repeatedly(count, 1, false);
    else if (mode == "launch-2d") launch_repeatedly(count, 2, false);
    else if (mode == "launch-3d") launch_repeatedly(count, 3, false);
    else if (mode == "shape-change") launch_repeatedly(count, 1, true);
    else if (mode == "reached") ask_timeline(count);
    else if (mode == "limit") ask_limit(count);
    else if (mode == "raw-launch" && argc > 3) launch_raw(count, argv[3]);
    else return 2;
    return 0;
}
