// Lifetimes: what queued work uses may be released at once, parents may go before children, and handles that are no longer
// (or never were) what a call needs are recognised by every entry.
#include <chrono>
#include <thread>

#include "support/blocks.h"
#include "support/session.h"

using namespace api;

namespace {

// A device's objects, one of each.
struct All {
    Session session;
    Memory memory = session.allocate(4096);
    Program program = session.program();
    Queue queue = session.queue(QIAO_QUEUE_PROFILING);
    Timeline timeline = session.timeline();
    Pool pool = session.pool();
    Topology topology = session.topology();
    qiao_kernel* kernel = kernel_of(program, "nothing");
};

template <class Handle, class Other>
Handle* as(Other* other) {
    return reinterpret_cast<Handle*>(other);
}

#define CHECK_BAD(call) CHECK_FAILS(call, QIAO_ERROR_INVALID_HANDLE)

// Every entry that takes the handle refuses this one, and leaves 0 behind.
void refused_instance(qiao_instance* bad) {
    uint32_t count = 7;
    qiao_device* device = as<qiao_device>(&count);
    qiao_timeline* timeline = as<qiao_timeline>(&count);
    qiao_candidate candidate = QIAO_CANDIDATE_INIT;
    CHECK_BAD(qiao_instance_retain(bad));
    CHECK_BAD(qiao_instance_query_candidate(bad, 0, &candidate));
    CHECK_BAD(qiao_instance_enumerate_devices(bad, 0, nullptr, &count));
    CHECK_BAD(qiao_instance_find_device(bad, "*", &device));
    CHECK_BAD(qiao_timeline_create(bad, 0, &timeline));
    CHECK(count == 0);
    CHECK(device == nullptr);
    CHECK(timeline == nullptr);
    if (bad != nullptr) CHECK_BAD(qiao_instance_release(bad));
}

void refused_device(qiao_device* bad) {
    int something = 0;
    qiao_device_properties properties = QIAO_DEVICE_PROPERTIES_INIT;
    qiao_memory_desc memory_desc = QIAO_MEMORY_DESC_INIT;
    memory_desc.size_bytes = 64;
    qiao_program_desc program_desc = QIAO_PROGRAM_DESC_INIT;
    program_desc.data = &something;
    program_desc.size_bytes = 1;
    uint64_t a = 7, b = 7;
    qiao_device_state state = 0;
    const char* name = nullptr;
    qiao_provenance provenance = 0;
    qiao_memory *memory = as<qiao_memory>(&something), *found = memory;
    qiao_queue* queue = as<qiao_queue>(&something);
    qiao_pool* pool = as<qiao_pool>(&something);
    qiao_program *program = as<qiao_program>(&something), *packaged = program;
    CHECK_BAD(qiao_device_query_properties(bad, &properties));
    CHECK(properties.id == nullptr);
    CHECK_BAD(qiao_device_get_limit(bad, 0, &a));
    CHECK_BAD(qiao_device_query_state(bad, &state, nullptr));
    CHECK_BAD(qiao_device_query_memory(bad, &a, &b));
    CHECK_BAD(qiao_device_query_clock(bad, &a, &b));
    CHECK_BAD(qiao_device_synchronize(bad, 0));
    CHECK_BAD(qiao_device_reset(bad));
    CHECK_BAD(qiao_device_query_slot(bad, 0, &name, &provenance));
    CHECK_BAD(qiao_memory_allocate(bad, &memory_desc, &memory));
    CHECK_BAD(qiao_memory_find(bad, 0, &found, &a));
    CHECK_BAD(qiao_queue_create(bad, nullptr, &queue));
    CHECK_BAD(qiao_pool_create(bad, nullptr, &pool));
    CHECK(pool == nullptr);
    CHECK_BAD(qiao_program_create_from_source(bad, &program_desc, &program));
    CHECK_BAD(qiao_program_create_from_package(bad, &program_desc, &packaged));
    CHECK_BAD(qiao_program_create_from_package_file(bad, "none.qpk", &packaged));
    CHECK_BAD(qiao_program_explain(bad, &program_desc, [](void*, const qiao_variant*) {}, nullptr));
    CHECK(memory == nullptr);
    CHECK(found == nullptr);
    CHECK(queue == nullptr);
    CHECK(program == nullptr);
    CHECK(packaged == nullptr);
    CHECK(a == 0);
}

void refused_memory(qiao_memory* bad) {
    uint64_t address = 7;
    void* pointer = &address;
    qiao_memory_properties properties = QIAO_MEMORY_PROPERTIES_INIT;
    CHECK_BAD(qiao_memory_retain(bad));
    CHECK_BAD(qiao_memory_get_address(bad, &address));
    CHECK_BAD(qiao_memory_query(bad, &properties));
    CHECK_BAD(qiao_memory_map(bad, 0, 4, QIAO_ACCESS_READ, &pointer));
    CHECK_BAD(qiao_memory_advise(bad, 0, 4, QIAO_MEMORY_ADVICE_READ_MOSTLY));
    CHECK_BAD(qiao_memory_unmap(bad, &address));
    CHECK_BAD(qiao_memory_write(bad, 0, &address, 4));
    CHECK_BAD(qiao_memory_read(bad, 0, &address, 4));
    CHECK(address == 0);
    CHECK(pointer == nullptr);
    if (bad != nullptr) CHECK_BAD(qiao_memory_release(bad));
}

void refused_pool(All& all, qiao_pool* bad) {
    uint64_t address = 7;
    qiao_pool_statistics statistics = QIAO_POOL_STATISTICS_INIT;
    CHECK_BAD(qiao_pool_retain(bad));
    CHECK_BAD(qiao_pool_allocate(bad, all.queue.get(), 64, &address));
    CHECK(address == 0);
    CHECK_BAD(qiao_pool_free(bad, 4096, all.queue.get()));
    CHECK_BAD(qiao_pool_trim(bad, 0));
    CHECK_BAD(qiao_pool_query(bad, &statistics));
    CHECK_BAD(qiao_pool_reset_peaks(bad));
    if (bad != nullptr) CHECK_BAD(qiao_pool_release(bad));
}

void refused_program(qiao_program* bad) {
    int something = 0;
    qiao_program_properties properties = QIAO_PROGRAM_PROPERTIES_INIT;
    qiao_kernel *kernel = as<qiao_kernel>(&something), *at = kernel;
    CHECK_BAD(qiao_program_retain(bad));
    CHECK_BAD(qiao_program_query(bad, &properties));
    CHECK_BAD(qiao_program_get_kernel(bad, "add", &kernel));
    CHECK_BAD(qiao_program_get_kernel_at(bad, 0, &at));
    CHECK(kernel == nullptr);
    CHECK(at == nullptr);
    if (bad != nullptr) CHECK_BAD(qiao_program_release(bad));
}

void refused_kernel(All& all, qiao_kernel* bad) {
    qiao_kernel_properties properties = QIAO_KERNEL_PROPERTIES_INIT;
    qiao_kernel_argument argument = QIAO_KERNEL_ARGUMENT_INIT;
    const qiao_launch shape = items(1);
    uint64_t value = 7;
    CHECK_BAD(qiao_kernel_query(bad, &properties));
    CHECK_BAD(qiao_kernel_query_argument(bad, 0, &argument));
    CHECK_BAD(qiao_queue_launch(all.queue.get(), bad, &shape, nullptr, 0, &value));
    CHECK(value == 0);
    CHECK_BAD(qiao_queue_launch(all.queue.get(), bad, &shape, &shape, sizeof shape, nullptr));
}

void refused_queue(All& all, qiao_queue* bad) {
    uint64_t value = 7, start = 7, end = 7, address = 7;
    CHECK_BAD(qiao_pool_allocate(all.pool.get(), bad == nullptr ? as<qiao_queue>(all.memory.get()) : bad, 64, &address));
    CHECK(address == 0);
    qiao_timeline* timeline = as<qiao_timeline>(&value);
    const qiao_launch shape = items(1);
    const uint32_t pattern = 0;
    const qiao_copy wanted = copy_of(place(all.memory), place(all.memory, 64), 64);
    CHECK_BAD(qiao_queue_retain(bad));
    CHECK_BAD(qiao_queue_get_timeline(bad, &timeline));
    CHECK(timeline == nullptr);
    for (const auto& submit : std::initializer_list<qiao_status (*)(All&, qiao_queue*, uint64_t*, const qiao_launch&, const qiao_copy&)>{
             [](All& with, qiao_queue* queue, uint64_t* out, const qiao_launch& launch, const qiao_copy&) { return qiao_queue_launch(queue, with.kernel, &launch, nullptr, 0, out); },
             [](All&, qiao_queue* queue, uint64_t* out, const qiao_launch&, const qiao_copy& copy) { return qiao_queue_copy(queue, &copy, out); },
             [](All& with, qiao_queue* queue, uint64_t* out, const qiao_launch&, const qiao_copy&) { return qiao_queue_after(queue, with.timeline.get(), 1, out); },
             [](All& with, qiao_queue* queue, uint64_t* out, const qiao_launch&, const qiao_copy&) { return qiao_queue_signal(queue, with.timeline.get(), 1, out); },
             [](All&, qiao_queue* queue, uint64_t* out, const qiao_launch&, const qiao_copy&) { return qiao_queue_call(queue, [](void*, qiao_status) {}, nullptr, out); }}) {
        value = 7;
        CHECK_BAD(submit(all, bad, &value, shape, wanted));
        CHECK(value == 0);
    }
    value = 7;
    CHECK_BAD(qiao_queue_fill(bad, place(all.memory), 64, &pattern, 4, &value));
    CHECK(value == 0);
    value = 7;
    CHECK_BAD(qiao_queue_prefetch(bad, place(all.memory), 64, nullptr, &value));
    CHECK(value == 0);
    CHECK_BAD(qiao_queue_query_timestamps(bad, 1, &start, &end));
    CHECK(start == 0);
    CHECK(end == 0);
    if (bad != nullptr) CHECK_BAD(qiao_queue_release(bad));
}

void refused_timeline(All& all, qiao_timeline* bad) {
    uint64_t value = 7;
    CHECK_BAD(qiao_timeline_retain(bad));
    CHECK_BAD(qiao_timeline_signal(bad, 100));
    CHECK_BAD(qiao_timeline_reached(bad, 0));
    CHECK_BAD(qiao_timeline_wait(bad, 0, 0));
    CHECK_BAD(qiao_timeline_query_value(bad, &value));
    CHECK(value == 0);
    value = 7;
    CHECK_BAD(qiao_queue_after(all.queue.get(), bad, 1, &value));
    CHECK(value == 0);
    value = 7;
    CHECK_BAD(qiao_queue_signal(all.queue.get(), bad, 1, &value));
    CHECK(value == 0);
    if (bad != nullptr) CHECK_BAD(qiao_timeline_release(bad));
}

void refused_topology(All& all, qiao_topology* bad) {
    uint32_t vertex = 7, count = 7;
    qiao_topology_properties properties = QIAO_TOPOLOGY_PROPERTIES_INIT;
    qiao_topology_provider provider = QIAO_TOPOLOGY_PROVIDER_INIT;
    qiao_vertex about = QIAO_VERTEX_INIT;
    qiao_link link = QIAO_LINK_INIT;
    qiao_link_claim claim = {7, 7, 7, 7, 7};
    qiao_path path = QIAO_PATH_INIT;
    void* pointer = &path;
    const char* text = "";
    CHECK_BAD(qiao_topology_retain(bad));
    CHECK_BAD(qiao_topology_query(bad, &properties));
    CHECK_BAD(qiao_topology_query_vertex(bad, 0, &about));
    CHECK_BAD(qiao_topology_find_vertex(bad, "numa:0", &vertex));
    CHECK(vertex == QIAO_VERTEX_NONE);
    CHECK_BAD(qiao_topology_find_device(bad, all.session.device, &vertex));
    CHECK_BAD(qiao_topology_find_cpu(bad, 0, &vertex));
    CHECK_BAD(qiao_topology_query_link(bad, 0, &link));
    CHECK_BAD(qiao_topology_query_claim(bad, 0, 0, &claim));
    CHECK_BAD(qiao_topology_get_attribute(bad, 0, QIAO_LINK_ATTRIBUTE_STATE, &claim));
    CHECK(claim.attribute == 0);
    CHECK_BAD(qiao_topology_enumerate_links(bad, 0, 0, nullptr, &count));
    CHECK(count == 0);
    CHECK_BAD(qiao_topology_query_path(bad, 0, 0, 0, nullptr, &path));
    CHECK_BAD(qiao_topology_query_nearest(bad, 0, QIAO_VERTEX_KIND_CARD, 0, nullptr, &count));
    CHECK_BAD(qiao_topology_query_cpus(bad, 0, 0, nullptr, &count));
    CHECK_BAD(qiao_topology_bind_thread(bad, 0));
    CHECK_BAD(qiao_topology_allocate(bad, 0, 64, &pointer));
    CHECK(pointer == nullptr);
    CHECK_BAD(qiao_topology_query_provider(bad, 0, &provider));
    CHECK_BAD(qiao_topology_query_note(bad, 0, &text));
    CHECK(text == nullptr);
    if (bad != nullptr) CHECK_BAD(qiao_topology_release(bad));
}

}  // namespace

TEST_SUITE("lifetime.handles") {
    TEST_CASE("null is refused by every entry, and releasing null does nothing") {
        All all;
        refused_instance(nullptr);
        refused_device(nullptr);
        refused_memory(nullptr);
        refused_pool(all, nullptr);
        refused_program(nullptr);
        refused_kernel(all, nullptr);
        refused_queue(all, nullptr);
        refused_timeline(all, nullptr);
        refused_topology(all, nullptr);
        CHECK_OK(qiao_instance_release(nullptr));
        CHECK_OK(qiao_memory_release(nullptr));
        CHECK_OK(qiao_pool_release(nullptr));
        CHECK_OK(qiao_program_release(nullptr));
        CHECK_OK(qiao_queue_release(nullptr));
        CHECK_OK(qiao_timeline_release(nullptr));
        CHECK_OK(qiao_topology_release(nullptr));
        check_works(all.session);
    }

    TEST_CASE("a handle of another kind is refused by every entry") {
        All all;
        refused_instance(as<qiao_instance>(all.memory.get()));
        refused_device(as<qiao_device>(all.queue.get()));
        refused_memory(as<qiao_memory>(all.session.device));
        refused_pool(all, as<qiao_pool>(all.memory.get()));
        refused_program(as<qiao_program>(all.kernel));
        refused_kernel(all, as<qiao_kernel>(all.program.get()));
        refused_queue(all, as<qiao_queue>(all.timeline.get()));
        refused_timeline(all, as<qiao_timeline>(all.queue.get()));
        refused_topology(all, as<qiao_topology>(all.queue.get()));
        check_works(all.session);
    }

    TEST_CASE("a released handle is refused by every entry, its children too") {
        All all;
        qiao_memory* memory = all.session.allocate(64).release();
        qiao_pool* pool = all.session.pool().release();
        qiao_program* program = all.session.program().release();
        qiao_kernel* kernel = nullptr;
        REQUIRE_OK(qiao_program_get_kernel(program, "nothing", &kernel));
        qiao_queue* queue = all.session.queue().release();
        qiao_timeline *of_queue = nullptr, *timeline = all.session.timeline().release();
        REQUIRE_OK(qiao_queue_get_timeline(queue, &of_queue));
        REQUIRE_OK(qiao_memory_release(memory));
        REQUIRE_OK(qiao_pool_release(pool));
        REQUIRE_OK(qiao_program_release(program));
        REQUIRE_OK(qiao_queue_release(queue));
        REQUIRE_OK(qiao_timeline_release(timeline));
        qiao_topology* topology = all.session.topology().release();
        REQUIRE_OK(qiao_topology_release(topology));
        refused_topology(all, topology);
        refused_memory(memory);
        refused_pool(all, pool);
        refused_program(program);
        refused_kernel(all, kernel);
        refused_queue(all, queue);
        refused_timeline(all, of_queue);
        refused_timeline(all, timeline);
        check_works(all.session);
    }

    TEST_CASE("a released instance and its devices are refused") {
        auto session = std::make_unique<Session>();
        qiao_instance* instance = session->instance.get();
        qiao_device* device = session->device;
        session.reset();
        refused_instance(instance);
        refused_device(device);
    }

    TEST_CASE("another instance's kernel is refused") {
        All all;
        Session other;
        const Program foreign = other.program();
        const qiao_launch shape = items(1);
        uint64_t value = 7;
        CHECK_BAD(qiao_queue_launch(all.queue.get(), kernel_of(foreign, "nothing"), &shape, nullptr, 0, &value));
        CHECK(value == 0);
        check_works(all.session);
        check_works(other);
    }

    TEST_CASE("what is retained is released as often") {
        Session session;
        const Memory memory = session.upload(numbers(4));
        REQUIRE_OK(qiao_memory_retain(memory.get()));
        REQUIRE_OK(qiao_memory_release(memory.get()));
        CHECK(download<uint32_t>(memory, 4) == numbers(4));
        const Queue queue = session.queue();
        REQUIRE_OK(qiao_queue_retain(queue.get()));
        REQUIRE_OK(qiao_queue_release(queue.get()));
        wait_for(queue, fill(queue, place(memory), 16, 1));
    }
}

TEST_SUITE("lifetime.deferred") {
    TEST_CASE("memory, programs and queues may go while queued work uses them") {
        Session session;
        const Timeline gate = session.timeline();
        const Memory result = session.allocate(400);
        qiao_timeline* borrowed = nullptr;
        uint64_t last = 0;
        {
            const Program program = session.program();
            const Queue queue = session.queue();
            borrowed = timeline_of(queue);
            REQUIRE_OK(qiao_timeline_retain(borrowed));
            const Memory a = session.upload(numbers(100)), b = session.upload(numbers(100, 7)), sum = session.allocate(400);
            after(queue, gate.get(), 1);
            launch(queue, kernel_of(program, "add"), items(100), blocks::Add{address_of(a), address_of(b), address_of(sum)});
            last = copy(queue, place(sum), place(result), 400);
        }
        const Timeline kept(borrowed);
        session.allocate(1 << 16);  // would be given what was freed too early
        REQUIRE_OK(qiao_timeline_signal(gate.get(), 1));
        CHECK_OK(qiao_timeline_wait(kept.get(), last, kPatience));
        const auto values = download<uint32_t>(result, 100);
        for (uint32_t i = 0; i < 100; ++i) CHECK(values[i] == 7 + 2 * i);
    }

    TEST_CASE("also while a kernel runs that uses them") {
        Session session;
        uint64_t before = 0, now = 0, total = 0;
        session.allocate(64);
        REQUIRE_OK(qiao_device_query_memory(session.device, &before, &total));
        const Queue queue = session.queue();
        for (int round = 0; round < 20; ++round) {
            const Program program = session.program();
            const Memory cell = session.upload(std::vector<uint32_t>{1});
            launch(queue, kernel_of(program, "iterate"), items(1), blocks::Iterate{address_of(cell), 100'000, 0});
        }
        REQUIRE_OK(qiao_device_synchronize(session.device, kPatience));
        // A thread that ends the last operation may have it in hand a little longer.
        const auto freed_by = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (now != before && std::chrono::steady_clock::now() < freed_by) {
            REQUIRE_OK(qiao_device_query_memory(session.device, &now, &total));
            std::this_thread::yield();
        }
        CHECK(now == before);
        check_works(session);
    }

    TEST_CASE("memory in use by a queue that has failed behind it stays until that work has ended") {
        Session session;
        const Program program = session.program();
        const Queue queue = session.queue();
        Timeline gate = session.timeline();
        uint64_t value = 0;
        {
            const Memory cell = session.upload(std::vector<uint32_t>{1});
            value = launch(queue, kernel_of(program, "iterate"), items(1), blocks::Iterate{address_of(cell), 30'000'000, 0});
            after(queue, gate.get(), 1);
            gate.reset();  // fails the queue, but not the launch before
        }
        CHECK_OK(qiao_timeline_wait(timeline_of(queue), value, kPatience));
        CHECK(qiao_timeline_wait(timeline_of(queue), value + 1, kPatience) == QIAO_ERROR_CANCELLED);
        check_works(session);
    }

    TEST_CASE("addresses of released memory are unknown at once") {
        Session session;
        const Queue queue = session.queue();
        const Timeline gate = session.timeline();
        Memory memory = session.allocate(64);
        const qiao_place stale = place(memory);
        after(queue, gate.get(), 1);
        const uint64_t last = fill(queue, stale, 64, 1);
        memory.reset();
        const uint32_t pattern = 0;
        uint64_t value = 7;
        CHECK_FAILS(qiao_queue_fill(queue.get(), stale, 64, &pattern, 4, &value), QIAO_ERROR_OUT_OF_RANGE, "no allocation");
        CHECK(value == 0);
        REQUIRE_OK(qiao_timeline_signal(gate.get(), 1));
        wait_for(queue, last);
    }
}

TEST_SUITE("lifetime.order") {
    TEST_CASE("parents may be released before their children") {
        std::vector<uint32_t> host(16);
        Memory memory;
        Queue queue;
        Program program;
        Timeline timeline;
        qiao_kernel* kernel = nullptr;
        auto session = std::make_unique<Session>();
        memory = session->allocate(64);
        queue = session->queue();
        program = session->program();
        timeline = session->timeline();
        kernel = kernel_of(program, "fill");
        session->instance.reset();  // the handles of its children keep it
        const uint64_t first = launch(queue, kernel, items(16), blocks::Fill{address_of(memory), 3, 0});
        program.reset();
        wait_for(queue, copy(queue, place(memory), place(host.data()), 64));
        CHECK(first == 1);
        CHECK(host == std::vector<uint32_t>(16, 3));
        REQUIRE_OK(qiao_timeline_signal(timeline.get(), 1));
        queue.reset();
        CHECK(download<uint32_t>(memory, 16) == std::vector<uint32_t>(16, 3));
        memory.reset();
        timeline.reset();
    }

    TEST_CASE("an instance that goes last waits for the work of its devices") {
        std::vector<uint32_t> host(16);
        {
            Session session;
            const Program program = session.program();
            const Queue queue = session.queue();
            const Memory cell = session.upload(std::vector<uint32_t>(16, 1));
            launch(queue, kernel_of(program, "iterate"), items(1), blocks::Iterate{address_of(cell), 1'000'000, 0});
            copy(queue, place(cell), place(host.data()), 64);
        }
        CHECK(host[1] == 1);
        CHECK(host[0] != 1);
    }
}
