// The C++ layer: two arrays are added and their sum is summed up, by two typed kernels. Give a device as argument
// ("opencl:*"), or the first one is taken.
#include <qiao/qiao.hpp>

#include <cstdio>
#include <numeric>
#include <vector>

namespace {

constexpr char kSource[] = R"(
kernel void add(global const uint* a, global const uint* b, global uint* sum) {
    size_t i = get_global_id(0);
    sum[i] = a[i] + b[i];
}
kernel void reduce(global const uint* in, global uint* out, uint scale, local uint* tile) {
    size_t i = get_local_id(0);
    tile[i] = in[get_global_id(0)];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (size_t half_size = get_local_size(0) / 2; half_size > 0; half_size /= 2) {
        if (i < half_size) tile[i] += tile[i + half_size];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (i == 0) out[get_group_id(0)] = scale * tile[0];
}
)";

using In = qiao::Address<const uint32_t>;
using Out = qiao::Address<uint32_t>;
using Tile = qiao::Local<uint32_t>;

constexpr uint32_t kCount = 4096, kGroup = 64;

uint32_t total_on(qiao::Device device, const std::vector<uint32_t>& x, const std::vector<uint32_t>& y) {
    // Kernels, with their parameters: that they are the source's is checked here, once.
    const auto program = qiao::Program::from_source(device, kSource);
    const auto add = program.kernel<In, In, Out>("add");
    const auto reduce = program.kernel<In, Out, uint32_t, Tile>("reduce");

    // Memory, with and without contents.
    const qiao::Buffer<uint32_t> a(device, x), b(device, y), sum(device, kCount), parts(device, kCount / kGroup);

    // One queue runs in order, so only the last point is waited for. Arguments are packed without a call.
    std::vector<uint32_t> result(kCount / kGroup);
    qiao::Queue queue(device);
    queue.launch(add, kCount, a, b, sum);
    queue.launch(reduce, qiao::Shape(kCount).in_groups(kGroup), sum, parts, 2, Tile(kGroup));
    queue.copy(parts, result);
    uint32_t total = 0;
    const qiao::Call done = queue.call([&](qiao_status status) {
        qiao::check(status);
        total = std::accumulate(result.begin(), result.end(), 0u);
    });
    done.wait();
    return total;
}

} // namespace

int main(int argc, char** argv) try {
    const qiao::Instance instance;
    const qiao::Device device = instance.find_device(argc > 1 ? argv[1] : "*");
    std::printf("%s: %s\n", device.id(), device.properties().name);

    std::vector<uint32_t> x(kCount), y(kCount, 3);
    std::iota(x.begin(), x.end(), 0u);
    const uint32_t total = total_on(device, x, y), expected = 2 * (kCount * (kCount - 1) / 2 + 3 * kCount);
    std::printf("the sum is %u, expected %u\n", total, expected);
    return total == expected ? 0 : 1;
} catch (const qiao::BuildError& error) {
    std::fprintf(stderr, "line %u of the kernels:\n%s\n", error.record().line, error.record().log.c_str());
    return 1;
} catch (const qiao::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
