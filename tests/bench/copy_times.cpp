// Copies between devices of two plugins, and between two mock cards, beside the memcpy of as many bytes, interleaved round by round.
// Reported, never judged. Usage: copy_times MIB ROUNDS SOURCE TARGET (device ids). Environment: QIAO_COPY_CHUNK forces a chunk
// size, QIAO_MOCK_TIER=t0 takes the mock cards' own copies away, taskset their processors.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "null_device.h"
#include "ratio.h"

namespace {

const char* name_of(qiao_copy_path path) {
    constexpr const char* kNames[] = {"unknown", "direct", "peer", "mapped", "staged", "host"};
    return path < std::size(kNames) ? kNames[path] : kNames[0];
}

struct End {
    qiao_device* device = nullptr;
    qiao_memory* memory = nullptr;
    uint64_t address = 0;

    End(qiao_instance* instance, const char* id, uint64_t size_bytes) {
        bench::check(qiao_instance_find_device(instance, id, &device), id);
        qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
        desc.size_bytes = size_bytes;
        bench::check(qiao_memory_allocate(device, &desc, &memory), "memory");
        bench::check(qiao_memory_get_address(memory, &address), "address");
    }
    ~End() { qiao_memory_release(memory); }
    End(const End&) = delete;
    End& operator=(const End&) = delete;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fprintf(stderr, "usage: copy_times MIB ROUNDS SOURCE TARGET\n");
        return 2;
    }
    const uint64_t size_bytes = std::strtoull(argv[1], nullptr, 10) << 20;
    const int rounds = std::atoi(argv[2]);
    qiao_instance* instance = nullptr;
    bench::check(qiao_instance_create(nullptr, &instance), "instance");
    {
        const End source(instance, argv[3], size_bytes), target(instance, argv[4], size_bytes);
        std::vector<std::byte> from(size_bytes, std::byte{1}), to(size_bytes, std::byte{2});
        bench::check(qiao_memory_write(source.memory, 0, from.data(), size_bytes), "write");
        bench::check(qiao_memory_write(target.memory, 0, to.data(), size_bytes), "write");
        qiao_queue* queue = nullptr;
        qiao_timeline* timeline = nullptr;
        bench::check(qiao_queue_create(source.device, nullptr, &queue), "queue");
        bench::check(qiao_queue_get_timeline(queue, &timeline), "timeline");
        qiao_copy copy = QIAO_COPY_INIT;
        copy.source = {source.device, source.address};
        copy.target = {target.device, target.address};
        copy.size_bytes = size_bytes;
        uint64_t value = 0;
        const auto through_qiao = [&] {
            bench::check(qiao_queue_copy(queue, &copy, &value), "copy");
            bench::check(qiao_timeline_wait(timeline, value, QIAO_TIMEOUT_INFINITE), "wait");
        };
        bench::compare((std::string(argv[3]) + " -> " + argv[4]).c_str(), rounds, 1, [&] { std::memcpy(to.data(), from.data(), size_bytes); }, through_qiao);
        qiao_copy_report report = QIAO_COPY_REPORT_INIT;
        bench::check(qiao_queue_query_copy_report(queue, value, &report), "report");
        std::printf("path %s, chunks of %llu KiB, %llu calls of the plugins\n", name_of(report.path), static_cast<unsigned long long>(report.chunk_bytes >> 10),
                    static_cast<unsigned long long>(report.operations));
        qiao_queue_release(queue);
    }
    qiao_instance_release(instance);
    return 0;
}
