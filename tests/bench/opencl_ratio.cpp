// Time through Qiao over time of raw OpenCL on the same device (PoCL): see ratio.h. Prints figures, judges nothing.
// Usage: opencl_ratio [ROUNDS], default 300.
#include "null_device.h"
#include "ratio.h"
#include "raw_opencl.h"

namespace {

constexpr uint64_t kCopyBytes = 64u << 20;

class Sides {
public:
    Sides() : qiao_("opencl:0"), raw_("libOpenCL.so.1") {
        launch_.global_size[0] = 64;
        launch_.group_size[0] = 64;
        qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
        desc.size_bytes = kCopyBytes;
        for (int side = 0; side < 2; ++side) {
            bench::check(qiao_memory_allocate(qiao_.device, &desc, &memory_[side]), "allocate");
            bench::check(qiao_memory_get_address(memory_[side], &address_[side]), "address");
            const std::vector<std::byte> bytes(kCopyBytes, std::byte{1});  // touch all pages before anything is timed
            bench::check(qiao_memory_write(memory_[side], 0, bytes.data(), kCopyBytes), "write");
            buffer_[side] = raw_.clSVMAlloc(raw_.context, CL_MEM_READ_WRITE, kCopyBytes, 0);
            raw_.ok(raw_.clEnqueueSVMMemcpy(raw_.queue, CL_TRUE, buffer_[side], bytes.data(), kCopyBytes, 0, nullptr, nullptr), "clEnqueueSVMMemcpy");
        }
    }
    ~Sides() {
        for (qiao_memory* memory : memory_) qiao_memory_release(memory);
    }

    void launches_qiao(int count) {
        uint64_t value = 0;
        for (int i = 0; i < count; ++i) {
            bench::check(qiao_queue_launch(qiao_.queue, qiao_.kernel, &launch_, &qiao_.block, sizeof qiao_.block, &value), "launch");
        }
        bench::check(qiao_timeline_wait(qiao_.timeline, value, QIAO_TIMEOUT_INFINITE), "wait");
    }
    void launches_raw(int count) {
        for (int i = 0; i < count; ++i) raw_.launch(64, 64, nullptr);
        raw_.ok(raw_.clFinish(raw_.queue), "clFinish");
    }
    void copy_qiao() {
        qiao_copy copy = QIAO_COPY_INIT;
        copy.source = {qiao_.device, address_[0]};
        copy.target = {qiao_.device, address_[1]};
        copy.size_bytes = kCopyBytes;
        uint64_t value = 0;
        bench::check(qiao_queue_copy(qiao_.queue, &copy, &value), "copy");
        bench::check(qiao_timeline_wait(qiao_.timeline, value, QIAO_TIMEOUT_INFINITE), "wait");
    }
    void copy_raw() {
        raw_.ok(raw_.clEnqueueSVMMemcpy(raw_.queue, CL_FALSE, buffer_[1], buffer_[0], kCopyBytes, 0, nullptr, nullptr), "clEnqueueSVMMemcpy");
        raw_.ok(raw_.clFinish(raw_.queue), "clFinish");
    }

private:
    bench::ThroughQiao qiao_;
    bench::RawOpenCl raw_;
    qiao_launch launch_ = QIAO_LAUNCH_INIT;
    qiao_memory* memory_[2] = {};
    uint64_t address_[2] = {};
    void* buffer_[2] = {};
};

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::max(20, std::atoi(argv[1])) : 300;
    Sides sides;
    bench::compare("launch + wait", rounds, 20, [&] { sides.launches_raw(1); }, [&] { sides.launches_qiao(1); });
    bench::compare("1000 launches + wait", rounds / 3, 1, [&] { sides.launches_raw(1000); }, [&] { sides.launches_qiao(1000); });
    bench::compare("copy of 64 MiB", rounds / 3, 1, [&] { sides.copy_raw(); }, [&] { sides.copy_qiao(); });
    return 0;
}
