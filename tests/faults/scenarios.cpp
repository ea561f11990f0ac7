// Short programs as users write them, each with a result that is known.
#include <cstdlib>
#include <thread>

#include "case.h"

namespace faults {
namespace {

constexpr uint32_t kCount = 256;
constexpr size_t kPageBytes = 4096;

bool is_sum(const std::vector<uint32_t>& values, uint32_t first) {
    for (uint32_t i = 0; i < values.size(); ++i) {
        if (values[i] != first + 2 * i) return false;
    }
    return true;
}

qiao_timeline* timeline_of(const Queue& queue) {
    qiao_timeline* timeline = nullptr;
    CHECK(qiao_queue_get_timeline(queue.get(), &timeline));
    return timeline;
}

qiao_place host(const void* pointer) {
    return {nullptr, reinterpret_cast<uint64_t>(pointer)};
}

void look(const Session& session) {
    qiao_device_properties properties = QIAO_DEVICE_PROPERTIES_INIT;
    CHECK(qiao_device_query_properties(session.device, &properties));
    uint64_t free_bytes = 0, total_bytes = 0, device_ns = 0, host_ns = 0;
    CHECK(qiao_device_query_memory(session.device, &free_bytes, &total_bytes));
    EXPECT(free_bytes <= total_bytes);
    CHECK(qiao_device_query_clock(session.device, &device_ns, &host_ns));
    qiao_device_state state = 0;
    const char* reason = nullptr;
    CHECK(qiao_device_query_state(session.device, &state, &reason));
    EXPECT(state == QIAO_DEVICE_STATE_OK || *reason != '\0');
    CHECK(qiao_device_synchronize(session.device, session.patience_ns));
}

Memory import_page(qiao_device* device, void* page) {
    qiao_memory* memory = nullptr;
    CHECK(qiao_memory_import_host(device, page, kPageBytes, 0, &memory));
    return Memory(memory);
}

void memory(const Session& session) {
    const std::vector<uint32_t> values = numbers(kCount, 7);
    const Memory first = upload(session.device, values), second = allocate(session.device, kCount * 4);
    const Memory pinned = allocate(session.device, kCount * 4, QIAO_MEMORY_KIND_HOST);
    void* pointer = nullptr;
    CHECK(qiao_memory_map(second.get(), 0, kCount * 4, QIAO_ACCESS_READ | QIAO_ACCESS_WRITE, &pointer));
    std::copy(values.begin(), values.end(), static_cast<uint32_t*>(pointer));
    CHECK(qiao_memory_unmap(second.get(), pointer));
    CHECK(qiao_memory_write(pinned.get(), 0, values.data(), kCount * 4));
    CHECK(qiao_memory_map(pinned.get(), 4, 4, QIAO_ACCESS_WRITE, &pointer)); // what the host can touch is mapped by the card
    *static_cast<uint32_t*>(pointer) = values[1];
    CHECK(qiao_memory_unmap(pinned.get(), pointer));
    static void* const page = std::aligned_alloc(kPageBytes, kPageBytes); // never freed: a lost card may still write
    const Memory lent = import_page(session.device, page);
    CHECK(qiao_memory_write(lent.get(), 0, values.data(), kCount * 4));
    EXPECT(download(first, kCount) == values);
    EXPECT(download(second, kCount) == values);
    EXPECT(download(pinned, kCount) == values);
    EXPECT(download(lent, kCount) == values);
}

void launches(const Session& session) {
    const Program program = load(session, session.device);
    qiao_kernel* kernel = kernel_of(program, "add");
    const Queue queue = make_queue(session.device);
    const Memory a = upload(session.device, numbers(kCount, 0)), b = upload(session.device, numbers(kCount, 100));
    const Memory out = allocate(session.device, kCount * 4), twice = allocate(session.device, kCount * 4);
    launch_add(queue, kernel, a, b, out, kCount);
    for (int i = 0; i < 40; ++i) // more than a mark's interval
        launch_add(queue, kernel, a, b, twice, kCount);
    const uint64_t value = launch_add(queue, kernel, a, out, twice, kCount);
    wait_for(session, queue, value);
    EXPECT(is_sum(download(out, kCount), 100));
    const std::vector<uint32_t> result = download(twice, kCount);
    EXPECT(result[1] == 103 && result[kCount - 1] == 100 + 3 * (kCount - 1));
}

void copies(const Session& session) {
    const Queue queue = make_queue(session.device, QIAO_QUEUE_PROFILING), other = make_queue(session.device);
    const Memory first = allocate(session.device, kCount * 4), second = allocate(session.device, kCount * 4);
    const std::vector<uint32_t> values = numbers(kCount, 1);
    std::vector<uint32_t> back(kCount);
    const uint32_t pattern = 0x01020304;
    uint64_t value = 0, start_ns = 0, end_ns = 0;
    CHECK(qiao_queue_fill(queue.get(), {session.device, address_of(second)}, kCount * 4, &pattern, 4, &value));
    qiao_copy copy = QIAO_COPY_INIT;
    copy.size_bytes = kCount * 4;
    copy.source = host(values.data());
    copy.target = {session.device, address_of(first)};
    CHECK(qiao_queue_copy(queue.get(), &copy, &value));
    copy.source = copy.target;
    copy.target = {session.device, address_of(second)};
    copy.size_bytes = kCount * 2; // the other half stays filled
    CHECK(qiao_queue_copy(queue.get(), &copy, &value));
    CHECK(qiao_queue_after(other.get(), timeline_of(queue), value, nullptr));
    copy.source = copy.target;
    copy.target = host(back.data());
    copy.size_bytes = kCount * 4;
    uint64_t last = 0;
    const qiao_status copied = qiao_queue_copy(other.get(), &copy, &last);
    const auto settle = [&] { qiao_device_synchronize(session.device, session.patience_ns); }; // `back` must stay till then
    try {
        CHECK(copied);
        for (int round = 0; round < 3; ++round) {
            const qiao_status reached = qiao_timeline_reached(timeline_of(queue), value);
            if (reached < 0) CHECK(reached);
        }
        wait_for(session, other, last);
        CHECK(qiao_queue_query_timestamps(queue.get(), value, &start_ns, &end_ns));
    } catch (...) {
        settle();
        throw;
    }
    EXPECT(start_ns <= end_ns);
    for (uint32_t i = 0; i < kCount; ++i)
        EXPECT(back[i] == (i < kCount / 2 ? i + 1 : pattern));
}

struct Calls {
    std::atomic<uint32_t> count{0};
    std::atomic<qiao_status> status{QIAO_OK};
};

void count_call(void* user, qiao_status status) {
    auto& calls = *static_cast<Calls*>(user);
    calls.status = status;
    calls.count.fetch_add(1);
}

// Called exactly once, however its queue ends: by the time the device is idle or lost it was. What never ends is ended here.
void await_call(const Session& session, const Calls& calls) {
    if (qiao_device_synchronize(session.device, session.patience_ns) == QIAO_TIMEOUT) qiao_device_reset(session.device);
    for (int i = 0; i < 2000 && calls.count == 0; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (calls.count != 1) complain("a callback was called " + std::to_string(calls.count) + " times");
}

void dependencies(const Session& session) {
    qiao_timeline* made = nullptr;
    CHECK(qiao_timeline_create(session.instance, 0, &made));
    const Timeline timeline(made);
    const Queue queue = make_queue(session.device), far = make_queue(session.neighbour);
    const Memory source = upload(session.device, numbers(kCount, 5)), target = allocate(session.neighbour, kCount * 4);
    CHECK(qiao_queue_after(far.get(), timeline.get(), 2, nullptr)); // not signalled yet
    uint64_t value = 0, last = 0;
    qiao_copy copy = QIAO_COPY_INIT;
    copy.source = {session.device, address_of(source)};
    copy.target = {session.neighbour, address_of(target)};
    copy.size_bytes = kCount * 4;
    static Calls calls; // outlives all: a callback may come late
    calls.count = 0;
    CHECK(qiao_timeline_signal(timeline.get(), 1));
    CHECK(qiao_queue_call(queue.get(), count_call, &calls, nullptr));
    qiao_status status = qiao_queue_signal(queue.get(), timeline.get(), 2, &value);
    if (status == QIAO_OK) status = qiao_queue_copy(far.get(), &copy, &last);
    if (status != QIAO_OK) await_call(session, calls);
    CHECK(status);
    try {
        wait_for(session, far, last);
    } catch (...) {
        await_call(session, calls);
        throw;
    }
    await_call(session, calls);
    EXPECT(download(target, kCount) == numbers(kCount, 5));
}

void reset(const Session& session) {
    {
        const Queue queue = make_queue(session.device);
        const Memory filled = allocate(session.device, kCount * 4);
        const uint8_t byte = 9;
        CHECK(qiao_queue_fill(queue.get(), {session.device, address_of(filled)}, kCount * 4, &byte, 1, nullptr));
        CHECK(qiao_device_reset(session.device));
        uint64_t value = 0;
        EXPECT(qiao_queue_fill(queue.get(), {session.device, 1}, 4, &byte, 1, &value) == QIAO_ERROR_DEVICE_LOST);
    }
    launches(session);
}

void threads(const Session& session) {
    std::vector<std::thread> workers;
    std::vector<std::unique_ptr<Stopped>> stopped(3);
    for (auto& end : stopped) {
        workers.emplace_back([&session, &end] {
            try {
                launches(session);
                copies(session);
            } catch (const Stopped& early) {
                end = std::make_unique<Stopped>(early);
            }
        });
    }
    for (std::thread& worker : workers)
        worker.join();
    for (const auto& end : stopped) {
        if (end != nullptr) throw Stopped(*end);
    }
}

} // namespace

const std::vector<Scenario> kScenarios = {
    {"look", look},
    {"memory", memory},
    {"launches", launches},
    {"copies", copies},
    {"dependencies", dependencies},
    {"reset", reset},
    {"threads", threads},
};

} // namespace faults
