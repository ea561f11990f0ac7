// Times of single operations, with Google Benchmark: the core on the null plugin, and the mock card. Reported, never
// judged: the gates are instruction counts. A second thread is alive all the time, since the C library leaves out atomic
// operations in a process that has only one.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

#include "null_device.h"
#include "object/address_map.h"
#include "object/address_table.h"

namespace {

qiao_launch one_group() {
    qiao_launch launch = QIAO_LAUNCH_INIT;
    launch.global_size[0] = launch.group_size[0] = 64;
    return launch;
}

// A kernel that does nothing, compiled for the device: the null plugin takes the package made without a compiler.
class Compiled {
public:
    explicit Compiled(const char* selector) {
        bench::check(qiao_instance_create(nullptr, &instance_), "instance");
        bench::check(qiao_instance_find_device(instance_, selector, &device), "device");
        static const char kSource[] = "kernel void noop(global uint* data, uint count) {}";
        qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
        desc.data = kSource;
        desc.size_bytes = sizeof kSource - 1;
        bench::check(qiao_program_create_from_source(device, &desc, &program_), "program");
        bench::check(qiao_program_get_kernel(program_, "noop", &kernel), "kernel");
        bench::check(qiao_queue_create(device, nullptr, &queue), "queue");
        bench::check(qiao_queue_get_timeline(queue, &timeline), "timeline");
        qiao_memory_desc memory_desc = QIAO_MEMORY_DESC_INIT;
        memory_desc.size_bytes = 4096;
        bench::check(qiao_memory_allocate(device, &memory_desc, &memory_), "memory");
        bench::check(qiao_memory_get_address(memory_, &block.address), "address");
    }
    ~Compiled() {
        qiao_memory_release(memory_);
        qiao_queue_release(queue);
        qiao_program_release(program_);
        qiao_instance_release(instance_);
    }
    Compiled(const Compiled&) = delete;
    Compiled& operator=(const Compiled&) = delete;

    void launch_and_wait() {
        uint64_t value = 0;
        bench::check(qiao_queue_launch(queue, kernel, &launch, &block, sizeof block, &value), "launch");
        bench::check(qiao_timeline_wait(timeline, value, QIAO_TIMEOUT_INFINITE), "wait");
    }

    qiao_device* device = nullptr;
    qiao_kernel* kernel = nullptr;
    qiao_queue* queue = nullptr;
    qiao_timeline* timeline = nullptr;
    qiao_launch launch = one_group();
    bench::Block block{};

private:
    qiao_instance* instance_ = nullptr;
    qiao_program* program_ = nullptr;
    qiao_memory* memory_ = nullptr;
};

void null_launch(benchmark::State& state) {
    bench::ThroughQiao qiao;
    const qiao_launch launch = one_group();
    for (auto _ : state) {
        bench::check(qiao_queue_launch(qiao.queue, qiao.kernel, &launch, &qiao.block, sizeof qiao.block, nullptr), "launch");
    }
}
BENCHMARK(null_launch);

void null_launch_raw(benchmark::State& state) {
    bench::Raw raw(std::getenv("NULL_PLUGIN_LIBRARY"));
    bench::Block block{};
    uint64_t value = 0;
    for (auto _ : state) bench::check(raw.launch_slot(raw.queue, raw.kernel, &raw.geometry, &block, nullptr, ++value), "launch");
}

void null_reached(benchmark::State& state) {
    bench::ThroughQiao qiao;
    for (auto _ : state) bench::check(qiao_timeline_reached(qiao.timeline, 0), "reached");
}
BENCHMARK(null_reached);

void null_limit(benchmark::State& state) {
    bench::ThroughQiao qiao;
    uint64_t value = 0;
    for (auto _ : state) bench::check(qiao_device_get_limit(qiao.device, QIAO_DEVICE_LIMIT_MAX_GROUP_SIZE, &value), "limit");
}
BENCHMARK(null_limit);

void null_allocate_release(benchmark::State& state) {
    bench::ThroughQiao qiao;
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    desc.size_bytes = 4096;
    for (auto _ : state) {
        qiao_memory* memory = nullptr;
        bench::check(qiao_memory_allocate(qiao.device, &desc, &memory), "allocate");
        bench::check(qiao_memory_release(memory), "release");
    }
}
BENCHMARK(null_allocate_release);

// An allocation and its free; sizes of up to 1 MiB come from the thread's cache.
void null_pool(benchmark::State& state) {
    const bench::ThroughQiao qiao;
    for (auto _ : state) bench::allocate_and_free(qiao, static_cast<uint64_t>(state.range(0)));
}
BENCHMARK(null_pool)->Arg(256)->Arg(4096)->Arg(1 << 20)->Arg(3 << 20);

// The same among so many allocations of random sizes, the oldest but some freed for each new one.
void null_pool_random(benchmark::State& state) {
    const bench::ThroughQiao qiao;
    std::minstd_rand random(1);
    std::vector<uint64_t> addresses(static_cast<size_t>(state.range(0)), 0);
    std::vector<uint64_t> sizes, places;
    for (int i = 0; i < 4096; ++i) sizes.push_back(1 + random() % (random() % 10 == 0 ? 500'000 : 10'000)), places.push_back(random() % addresses.size());
    size_t step = 0;
    for (auto _ : state) {
        uint64_t& address = addresses[places[step % 4096]];
        bench::check(qiao_pool_free(qiao.pool, address, qiao.queue), "free");
        bench::check(qiao_pool_allocate(qiao.pool, qiao.queue, sizes[step / 7 % 4096], &address), "allocate");
        ++step;
    }
}
BENCHMARK(null_pool_random)->Arg(100)->Arg(1000);

// Threads on one pool, each with a queue of its own.
void null_pool_threads(benchmark::State& state) {
    static std::unique_ptr<bench::ThroughQiao> qiao;
    if (state.thread_index() == 0) qiao = std::make_unique<bench::ThroughQiao>();
    qiao_queue* queue = nullptr;
    for (auto _ : state) {
        if (queue == nullptr) bench::check(qiao_queue_create(qiao->device, nullptr, &queue), "queue");  // the threads start together here
        uint64_t address = 0;
        bench::check(qiao_pool_allocate(qiao->pool, queue, 4096, &address), "allocate");
        bench::check(qiao_pool_free(qiao->pool, address, queue), "free");
    }
    bench::check(qiao_queue_release(queue), "queue");
    if (state.thread_index() == 0) qiao.reset();
}
BENCHMARK(null_pool_threads)->Threads(1)->Threads(2)->Threads(4)->UseRealTime();

// Emulated shared memory of so many MiB, written once before.
class Shared {
public:
    Shared(qiao_device* device, int64_t mib) {
        qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
        desc.size_bytes = static_cast<uint64_t>(mib) << 20;
        desc.kind = QIAO_MEMORY_KIND_SHARED;
        bench::check(qiao_memory_allocate(device, &desc, &memory_), "shared memory");
        qiao_memory_properties properties = QIAO_MEMORY_PROPERTIES_INIT;
        bench::check(qiao_memory_query(memory_, &properties), "its pointer");
        bytes = static_cast<char*>(properties.host_pointer);
        std::memset(bytes, 1, desc.size_bytes);
        address = properties.address;
    }
    ~Shared() { qiao_memory_release(memory_); }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;

    char* bytes = nullptr;
    uint64_t address = 0;

private:
    qiao_memory* memory_ = nullptr;
};

// A launch that names it, of which the host has written `range(1)` pages since the last one.
void null_launch_shared_memory(benchmark::State& state) {
    bench::ThroughQiao qiao;
    const Shared shared(qiao.device, state.range(0));
    const qiao_launch launch = one_group();
    const bench::Block block{shared.address, 0, 0};
    for (auto _ : state) {
        for (int64_t page = 0; page < state.range(1); ++page) shared.bytes[page * 7 * 4096] += 1;
        bench::check(qiao_queue_launch(qiao.queue, qiao.kernel, &launch, &block, sizeof block, nullptr), "launch");
    }
}
BENCHMARK(null_launch_shared_memory)->ArgsProduct({{1, 8, 64, 256}, {0}})->Args({64, 1})->Args({64, 1000});

// One that does not, on a device that has such memory.
void null_launch_beside_shared_memory(benchmark::State& state) {
    bench::ThroughQiao qiao;
    const Shared shared(qiao.device, 1);
    const qiao_launch launch = one_group();
    for (auto _ : state) {
        bench::check(qiao_queue_launch(qiao.queue, qiao.kernel, &launch, &qiao.block, sizeof qiao.block, nullptr), "launch");
    }
}
BENCHMARK(null_launch_beside_shared_memory);

// Address look-up among so many allocations, in random order: throughput, then with each address depending on the last answer.
class Table {
public:
    explicit Table(size_t count) : handles_(count) {
        std::minstd_rand random(1);
        for (char& handle : handles_) addresses_.push_back(table_.insert(4096, &handle, &handle) + random() % 4096);
        std::shuffle(addresses_.begin(), addresses_.end(), random);
    }
    uint64_t address(size_t index) const { return addresses_[index]; }
    auto find(uint64_t address) const { return table_.find(address); }

private:
    qiao::AddressTable<char> table_{0};
    std::vector<char> handles_;
    std::vector<uint64_t> addresses_;
};

void address_find(benchmark::State& state) {
    const size_t count = static_cast<size_t>(state.range(0));
    const Table table(count);
    size_t index = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(table.find(table.address(index)).plugin_allocation);
        if (++index == count) index = 0;
    }
}
BENCHMARK(address_find)->Arg(10'000)->Arg(1'000'000);

void address_find_dependent(benchmark::State& state) {
    const size_t count = static_cast<size_t>(state.range(0));
    const Table table(count);
    size_t index = 0;
    uint64_t last = 0;
    for (auto _ : state) {
        const auto found = table.find(table.address(index) + last);
        last = found.size_bytes - 4096;  // 0, but the processor does not know
        if (++index == count) index = 0;
    }
    benchmark::DoNotOptimize(last);
}
BENCHMARK(address_find_dependent)->Arg(10'000)->Arg(1'000'000);

// What no table of so many records of 32 bytes can be below: one read of each, in random order.
void random_read(benchmark::State& state) {
    struct alignas(32) Record {
        uint64_t value = 0;
    };
    std::vector<Record> records(static_cast<size_t>(state.range(0)));
    std::vector<uint32_t> order(records.size());
    std::iota(order.begin(), order.end(), 0u);
    std::shuffle(order.begin(), order.end(), std::minstd_rand(1));
    for (size_t i = 0; i < records.size(); ++i) records[i].value = order[i];
    size_t index = 0;
    uint64_t sum = 0;
    for (auto _ : state) {
        sum += records[order[index]].value;
        if (++index == order.size()) index = 0;
    }
    benchmark::DoNotOptimize(sum);
}
BENCHMARK(random_read)->Arg(10'000)->Arg(1'000'000);

// The same among native addresses: ranges of any bytes, 4 KiB apart, and 256 bytes apart so that 16 share a page.
class Map {
public:
    Map(size_t count, uint64_t step) : handles_(count), size_bytes_(step - step / 4) {
        std::minstd_rand random(1);
        uint64_t address = UINT64_C(0x7f1234560080);
        for (uint64_t& handle : handles_) {
            map_.insert(address, size_bytes_, &handle);
            addresses_.push_back(address + random() % size_bytes_);
            address += step;
        }
        std::shuffle(addresses_.begin(), addresses_.end(), random);
    }
    uint64_t address(size_t index) const { return addresses_[index]; }
    uint64_t size_bytes() const { return size_bytes_; }
    auto find(uint64_t address) const { return map_.find(address); }

private:
    qiao::AddressMap<uint64_t> map_;
    std::vector<uint64_t> handles_, addresses_;
    const uint64_t size_bytes_;
};

void native_address_find(benchmark::State& state) {
    const size_t count = static_cast<size_t>(state.range(0));
    const Map map(count, static_cast<uint64_t>(state.range(1)));
    size_t index = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(map.find(map.address(index)).offset);
        if (++index == count) index = 0;
    }
}
BENCHMARK(native_address_find)->ArgsProduct({{10'000, 1'000'000}, {4096, 256}});

void native_address_find_dependent(benchmark::State& state) {
    const size_t count = static_cast<size_t>(state.range(0));
    const Map map(count, static_cast<uint64_t>(state.range(1)));
    size_t index = 0;
    uint64_t last = 0;
    for (auto _ : state) {
        last = map.find(map.address(index) + last).size_bytes - map.size_bytes();  // 0, but the processor does not know
        if (++index == count) index = 0;
    }
    benchmark::DoNotOptimize(last);
}
BENCHMARK(native_address_find_dependent)->ArgsProduct({{10'000, 1'000'000}, {4096, 256}});

// Two threads on one queue, each with its own shape of the block.
void null_launch_shared_queue(benchmark::State& state) {
    static std::unique_ptr<bench::ThroughQiao> qiao;
    if (state.thread_index() == 0) qiao = std::make_unique<bench::ThroughQiao>();
    const qiao_launch launch = one_group();
    bench::Block block{};
    for (auto _ : state) bench::check(qiao_queue_launch(qiao->queue, qiao->kernel, &launch, &block, sizeof block, nullptr), "launch");
    if (state.thread_index() == 0) qiao.reset();
}
BENCHMARK(null_launch_shared_queue)->Threads(2)->UseRealTime();

void mock_launch_wait(benchmark::State& state) {
    Compiled mock("mock:0");
    mock.launch_and_wait();
    for (auto _ : state) mock.launch_and_wait();
}

// Sleeps before each; the counters are what count: the mean is that of the machine's interruptions.
template <class Work>
void time_after_idle(benchmark::State& state, Work&& work) {
    std::vector<double> times;
    for (auto _ : state) {
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        const auto start = std::chrono::steady_clock::now();
        work();
        times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        state.SetIterationTime(times.back());
    }
    std::sort(times.begin(), times.end());
    state.counters["p10_ns"] = 1e9 * times[times.size() / 10];
    state.counters["p50_ns"] = 1e9 * times[times.size() / 2];
    state.counters["p90_ns"] = 1e9 * times[times.size() * 9 / 10];
}

void mock_launch_wait_after_idle(benchmark::State& state) {
    Compiled mock("mock:0");
    mock.launch_and_wait();
    time_after_idle(state, [&] { mock.launch_and_wait(); });
}

// What the machine itself takes after idle: to read as many cache lines, one after the other, as a launch's data lies in. Its code is as much again.
void cold_lines_after_idle(benchmark::State& state) {
    constexpr size_t kPages = 22, kLines = 63, kPageBytes = 4096, kLineBytes = 64;
    std::vector<char> memory((kPages * 64 + 1) * kPageBytes);  // far apart
    std::minstd_rand random(1);
    std::vector<char*> lines;
    for (size_t i = 0; i < kLines; ++i) lines.push_back(&memory[i % kPages * 64 * kPageBytes + random() % 64 * kLineBytes]);
    for (size_t i = 0; i < kLines; ++i) std::memcpy(lines[i], &lines[(i + 1) % kLines], sizeof(char*));
    time_after_idle(state, [&] {
        char* line = lines[0];
        for (size_t i = 0; i < kLines; ++i) std::memcpy(&line, line, sizeof line);
        benchmark::DoNotOptimize(line);
    });
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (std::getenv("NULL_PLUGIN_LIBRARY") != nullptr) benchmark::RegisterBenchmark("null_launch_raw", null_launch_raw);
    benchmark::RegisterBenchmark("mock_launch_wait", mock_launch_wait);
    benchmark::RegisterBenchmark("mock_launch_wait_after_idle", mock_launch_wait_after_idle)->UseManualTime()->Iterations(100);
    benchmark::RegisterBenchmark("cold_lines_after_idle", cold_lines_after_idle)->UseManualTime()->Iterations(100);
    std::atomic<bool> stop{false};
    std::thread second([&stop] {
        while (!stop.load()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    });
    benchmark::RunSpecifiedBenchmarks();
    stop.store(true);
    second.join();
    return 0;
}
