// Time through Qiao over time of raw Vulkan on the same device (lavapipe): see ratio.h. Prints figures, judges nothing.
// Usage: vulkan_ratio [ROUNDS], default 300.
#include "null_device.h"
#include "qiao/compiler.h"
#include "ratio.h"
#include "raw_vulkan.h"

namespace {

// `noop` compiled for Vulkan.
std::vector<std::byte> vulkan_package() {
    const char source[] = "kernel void noop(global uint* data, uint count) { if (count == 1) data[get_global_id(0)] = count; }";
    qiao_compiler_desc desc = QIAO_COMPILER_DESC_INIT;
    desc.source = source;
    desc.source_size = sizeof source - 1;
    desc.formats = "spirv-vulkan";
    qiao_compiler_output* output = nullptr;
    qiao_compiler_compile(&desc, &output);
    qiao_compiler_result result = QIAO_COMPILER_RESULT_INIT;
    qiao_compiler_output_query(output, &result);
    if (result.status != QIAO_OK) {
        std::fprintf(stderr, "%s\n", result.message);
        std::exit(1);
    }
    const auto* bytes = static_cast<const std::byte*>(result.package);
    std::vector<std::byte> package(bytes, bytes + result.package_size);
    qiao_compiler_output_release(output);
    return package;
}

std::vector<std::byte> module_of(const std::vector<std::byte>& bytes) {
    const auto package = qiao::package::Package::open(bytes);
    for (size_t i = 0; i < package->variants().size(); ++i) {
        if (package->variants()[i].format != "spirv-vulkan") continue;
        const auto blob = package->read(i);
        return {blob->bytes.begin(), blob->bytes.end()};
    }
    return {};
}

class Sides {
public:
    explicit Sides(const std::vector<std::byte>& package) : qiao_("vulkan:0", package), raw_(module_of(package), 64, 12) {
        launch_.global_size[0] = 64;
        launch_.group_size[0] = 64;
    }
    void launches_qiao(int count) {
        uint64_t value = 0;
        for (int i = 0; i < count; ++i) {
            bench::check(qiao_queue_launch(qiao_.queue, qiao_.kernel, &launch_, &qiao_.block, sizeof qiao_.block, &value), "launch");
        }
        bench::check(qiao_timeline_wait(qiao_.timeline, value, QIAO_TIMEOUT_INFINITE), "wait");
    }
    void launches_raw(int count) { raw_.run(static_cast<uint32_t>(count), &qiao_.block); }

private:
    bench::ThroughQiao qiao_;
    bench::RawVulkan raw_;
    qiao_launch launch_ = QIAO_LAUNCH_INIT;
};

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::max(20, std::atoi(argv[1])) : 300;
    Sides sides(vulkan_package());
    bench::compare("launch + wait", rounds, 20, [&] { sides.launches_raw(1); }, [&] { sides.launches_qiao(1); });
    bench::compare("1000 launches + wait", rounds / 3, 1, [&] { sides.launches_raw(1000); }, [&] { sides.launches_qiao(1000); });
    return 0;
}
