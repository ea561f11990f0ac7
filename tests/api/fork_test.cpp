// After fork the child owns nothing of the parent's: every entry point says so for every handle, a release is harmless, the
// child makes an instance of its own, and its exit neither hangs nor calls the parent's callbacks.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "support/blocks.h"
#include "support/session.h"

using namespace api;

namespace {

struct Objects {
    Session session;
    Memory memory = session.upload(numbers(16));
    Program program = session.program();
    Queue queue = session.queue();
    Timeline timeline = session.timeline();
    Pool pool = session.pool();
    Topology topology = session.topology();

    qiao_instance* i() const { return session.instance.get(); }
    qiao_device* d() const { return session.device; }
    qiao_memory* m() const { return memory.get(); }
    qiao_program* p() const { return program.get(); }
    qiao_kernel* k() const { return kernel_of(program, "add"); }
    qiao_queue* q() const { return queue.get(); }
    qiao_timeline* t() const { return timeline.get(); }
    qiao_pool* o() const { return pool.get(); }
    qiao_topology* y() const { return topology.get(); }
};

uint64_t buffer[64];
template <class T>
T* out() {
    return reinterpret_cast<T*>(buffer);
}
template <class T>
T* started() {
    static_assert(sizeof(T) <= sizeof buffer);
    static T value;
    value = {};
    value.struct_size = sizeof(T);
    return &value;
}
void never_called(void*, qiao_status) {
    std::abort();
}

const qiao_launch kOne = QIAO_LAUNCH_INIT;
const blocks::Add kAdd = {0, 0, 0};

// `kernel` was got by the parent: the child has nobody to ask.
struct Handles {
    qiao_instance* i;
    qiao_device* d;
    qiao_memory* m;
    qiao_program* p;
    qiao_kernel* k;
    qiao_queue* q;
    qiao_timeline* t;
    qiao_pool* o;
    qiao_topology* y;
};
using Call = std::function<qiao_status(const Handles& parent, const Handles& own)>;

qiao_copy copy_between(qiao_device* source, qiao_device* target) {
    qiao_copy copy = QIAO_COPY_INIT;
    copy.source = {source, 4096};
    copy.target = {target, 8192};
    copy.size_bytes = 4;
    return copy;
}

qiao_memory_desc* memory_desc() {
    auto* desc = started<qiao_memory_desc>();
    desc->size_bytes = 64;
    return desc;
}

// Every function that takes a handle, once for each place of one.
std::multimap<std::string, Call> make_calls() {
    std::multimap<std::string, Call> calls;
#define CALL(name, ...) calls.emplace(#name, [](const Handles& x, [[maybe_unused]] const Handles& own) -> qiao_status { return name(__VA_ARGS__); })
    CALL(qiao_instance_enumerate_devices, x.i, 0, nullptr, out<uint32_t>());
    CALL(qiao_instance_find_device, x.i, "*", out<qiao_device*>());
    CALL(qiao_instance_retain, x.i);
    CALL(qiao_instance_release, x.i);
    CALL(qiao_instance_query_candidate, x.i, 0, started<qiao_candidate>());
    CALL(qiao_device_query_properties, x.d, started<qiao_device_properties>());
    CALL(qiao_device_get_limit, x.d, 0, out<uint64_t>());
    CALL(qiao_device_query_state, x.d, out<uint32_t>(), nullptr);
    CALL(qiao_device_query_memory, x.d, out<uint64_t>(), out<uint64_t>());
    CALL(qiao_device_query_clock, x.d, out<uint64_t>(), out<uint64_t>());
    CALL(qiao_device_synchronize, x.d, 0);
    CALL(qiao_device_reset, x.d);
    CALL(qiao_device_query_slot, x.d, 0, out<const char*>(), out<uint32_t>());
    CALL(qiao_device_query_extension, x.d, 0, out<const char*>());
    CALL(qiao_device_query_memory_kind, x.d, QIAO_MEMORY_KIND_DEVICE, started<qiao_memory_kind_properties>());
    CALL(qiao_device_get_extension, x.d, "a.b.1", out<const void*>(), out<void*>());
    CALL(qiao_device_get_native, x.d, out<qiao_native>());
    CALL(qiao_memory_allocate, x.d, memory_desc(), out<qiao_memory*>());
    CALL(qiao_memory_retain, x.m);
    CALL(qiao_memory_release, x.m);
    CALL(qiao_memory_get_address, x.m, out<uint64_t>());
    CALL(qiao_memory_query, x.m, started<qiao_memory_properties>());
    CALL(qiao_memory_find, x.d, 4096, out<qiao_memory*>(), out<uint64_t>());
    CALL(qiao_memory_map, x.m, 0, 4, QIAO_ACCESS_READ, out<void*>());
    CALL(qiao_memory_unmap, x.m, buffer);
    CALL(qiao_memory_fetch, x.m, 0, 4);
    CALL(qiao_memory_query_traffic, x.m, started<qiao_memory_traffic>());
    CALL(qiao_device_query_traffic, x.d, started<qiao_memory_traffic>());
    CALL(qiao_memory_advise, x.m, 0, 4, QIAO_MEMORY_ADVICE_READ_MOSTLY);
    CALL(qiao_queue_prefetch, x.q, {x.d, 4096}, 4, nullptr, nullptr);
    CALL(qiao_memory_write, x.m, 0, buffer, 4);
    CALL(qiao_memory_read, x.m, 0, buffer, 4);
    CALL(qiao_memory_get_native, x.m, out<qiao_native>());
    CALL(qiao_memory_wrap, x.d, out<qiao_native>(), memory_desc(), out<qiao_memory*>());
    CALL(qiao_memory_import_host, x.d, buffer, 4, 0, out<qiao_memory*>());
    CALL(qiao_memory_export, x.m, 0, out<qiao_share_handle>(), out<int32_t>());
    CALL(qiao_memory_import, x.d, out<qiao_share_handle>(), 0, 0, out<qiao_memory*>());
    CALL(qiao_timeline_create_shareable, x.i, 0, out<qiao_timeline*>());
    CALL(qiao_timeline_export, x.t, out<qiao_share_handle>(), out<int32_t>());
    CALL(qiao_timeline_import, x.i, out<qiao_share_handle>(), 0, out<qiao_timeline*>());
    CALL(qiao_pool_create, x.d, nullptr, out<qiao_pool*>());
    CALL(qiao_pool_retain, x.o);
    CALL(qiao_pool_release, x.o);
    CALL(qiao_pool_allocate, x.o, nullptr, 4, out<uint64_t>());
    CALL(qiao_pool_allocate, x.o, own.q, 4, out<uint64_t>());
    CALL(qiao_pool_allocate, own.o, x.q, 4, out<uint64_t>());
    CALL(qiao_pool_free, x.o, 4096, nullptr);
    CALL(qiao_pool_free, own.o, 4096, x.q);
    CALL(qiao_pool_trim, x.o, 0);
    CALL(qiao_pool_query, x.o, started<qiao_pool_statistics>());
    CALL(qiao_pool_reset_peaks, x.o);
    CALL(qiao_program_create_from_source, x.d, started<qiao_program_desc>(), out<qiao_program*>());
    CALL(qiao_program_create_from_package, x.d, started<qiao_program_desc>(), out<qiao_program*>());
    CALL(qiao_program_create_from_package_file, x.d, "none.qpk", out<qiao_program*>());
    CALL(qiao_program_explain, x.d, started<qiao_program_desc>(), [](void*, const qiao_variant*) {}, nullptr);
    CALL(qiao_program_retain, x.p);
    CALL(qiao_program_release, x.p);
    CALL(qiao_program_query, x.p, started<qiao_program_properties>());
    CALL(qiao_program_get_kernel_at, x.p, 0, out<qiao_kernel*>());
    CALL(qiao_program_get_kernel, x.p, "add", out<qiao_kernel*>());
    CALL(qiao_kernel_query, x.k, started<qiao_kernel_properties>());
    CALL(qiao_kernel_query_argument, x.k, 0, started<qiao_kernel_argument>());
    CALL(qiao_queue_create, x.d, nullptr, out<qiao_queue*>());
    CALL(qiao_queue_retain, x.q);
    CALL(qiao_queue_release, x.q);
    CALL(qiao_queue_get_timeline, x.q, out<qiao_timeline*>());
    CALL(qiao_queue_launch, x.q, x.k, &kOne, &kAdd, sizeof kAdd, nullptr);
    CALL(qiao_queue_launch, own.q, x.k, &kOne, &kAdd, sizeof kAdd, nullptr);
    CALL(qiao_queue_launch, x.q, own.k, &kOne, &kAdd, sizeof kAdd, nullptr);
    CALL(qiao_queue_fill, x.q, {x.d, 4096}, 4, buffer, 4, nullptr);
    CALL(qiao_queue_fill, own.q, {x.d, 4096}, 4, buffer, 4, nullptr);
    CALL(qiao_queue_after, x.q, x.t, 1, nullptr);
    CALL(qiao_queue_after, own.q, x.t, 1, nullptr);
    CALL(qiao_queue_after, x.q, own.t, 1, nullptr);
    CALL(qiao_queue_signal, x.q, x.t, 1, nullptr);
    CALL(qiao_queue_signal, own.q, x.t, 1, nullptr);
    CALL(qiao_queue_call, x.q, never_called, nullptr, nullptr);
    CALL(qiao_queue_query_timestamps, x.q, 1, out<uint64_t>(), out<uint64_t>());
    CALL(qiao_queue_query_copy_report, x.q, 1, out<qiao_copy_report>());
    CALL(qiao_queue_get_native, x.q, out<qiao_native>());
    CALL(qiao_queue_wrap, x.d, out<qiao_native>(), nullptr, out<qiao_queue*>());
    CALL(qiao_timeline_create, x.i, 0, out<qiao_timeline*>());
    CALL(qiao_timeline_retain, x.t);
    CALL(qiao_timeline_release, x.t);
    CALL(qiao_timeline_signal, x.t, 1);
    CALL(qiao_timeline_reached, x.t, 1);
    CALL(qiao_timeline_wait, x.t, 1, QIAO_TIMEOUT_INFINITE);
    CALL(qiao_timeline_query_value, x.t, out<uint64_t>());
    CALL(qiao_topology_create, x.i, nullptr, out<qiao_topology*>());
    CALL(qiao_topology_retain, x.y);
    CALL(qiao_topology_release, x.y);
    CALL(qiao_topology_query, x.y, started<qiao_topology_properties>());
    CALL(qiao_topology_query_vertex, x.y, 0, started<qiao_vertex>());
    CALL(qiao_topology_find_vertex, x.y, "numa:0", out<uint32_t>());
    CALL(qiao_topology_find_device, x.y, x.d, out<uint32_t>());
    CALL(qiao_topology_find_device, own.y, x.d, out<uint32_t>());
    CALL(qiao_topology_find_cpu, x.y, 0, out<uint32_t>());
    CALL(qiao_topology_query_link, x.y, 0, started<qiao_link>());
    CALL(qiao_topology_query_claim, x.y, 0, 0, out<qiao_link_claim>());
    CALL(qiao_topology_get_attribute, x.y, 0, QIAO_LINK_ATTRIBUTE_BANDWIDTH, out<qiao_link_claim>());
    CALL(qiao_topology_enumerate_links, x.y, 0, 0, nullptr, out<uint32_t>());
    CALL(qiao_topology_query_path, x.y, 0, 0, 0, nullptr, started<qiao_path>());
    CALL(qiao_topology_query_nearest, x.y, 0, QIAO_VERTEX_KIND_CARD, 0, nullptr, out<uint32_t>());
    CALL(qiao_topology_query_cpus, x.y, 0, 0, nullptr, out<uint32_t>());
    CALL(qiao_topology_bind_thread, x.y, 0);
    CALL(qiao_topology_allocate, x.y, 0, 4096, out<void*>());
    CALL(qiao_topology_query_provider, x.y, 0, started<qiao_topology_provider>());
    CALL(qiao_topology_query_note, x.y, 0, out<const char*>());
#undef CALL
    const auto copy = [](qiao_queue* queue, qiao_device* source, qiao_device* target) {
        const qiao_copy request = copy_between(source, target);
        return qiao_queue_copy(queue, &request, nullptr);
    };
    calls.emplace("qiao_queue_copy", [copy](const Handles& x, const Handles&) { return copy(x.q, x.d, x.d); });
    calls.emplace("qiao_queue_query_copy", [](const Handles& x, const Handles&) {
        const qiao_copy request = copy_between(x.d, x.d);
        return qiao_queue_query_copy(x.q, &request, out<qiao_copy_plan>());
    });
    calls.emplace("qiao_queue_copy", [copy](const Handles& x, const Handles& own) { return copy(own.q, x.d, nullptr); });
    calls.emplace("qiao_queue_copy", [copy](const Handles& x, const Handles& own) { return copy(own.q, nullptr, x.d); });
    return calls;
}

// The exported functions that the table must have.
std::set<std::string> functions_with_handles() {
    std::ifstream file(QIAO_TEST_EXPORTS);
    REQUIRE(file.good());
    std::set<std::string> names;
    for (std::string line; std::getline(file, line);) {
        const size_t begin = line.find("qiao_"), end = line.find(';');
        if (begin != std::string::npos && end != std::string::npos && begin < end && begin == line.find_first_not_of(' ')) {
            names.insert(line.substr(begin, end - begin));
        }
    }
    for (const char* without : {"qiao_instance_create", "qiao_query_version", "qiao_error_query", "qiao_status_get_name", "qiao_status_get_text", "qiao_topology_free", "qiao_topology_get_name"}) {
        CHECK(names.erase(without) == 1);
    }
    return names;
}

// Runs in a child; what it returns is the exit code, and it leaves by exit(), with all that runs then.
int in_child(const std::function<int()>& body) {
    std::cout.flush();
    std::cerr.flush();
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        int code = 99;
        try {
            code = body();
        } catch (...) {
            std::cerr << "the child's own objects could not be made: " << last_failure().message << "\n";
        }
        exit(code);
    }
    int state = 0;
    for (int waited_ms = 0; waitpid(child, &state, WNOHANG) == 0; ++waited_ms) {
        if (waited_ms == 60'000) {
            kill(child, SIGKILL);
            FAIL("the child does not exit");
        }
        usleep(1000);
    }
    REQUIRE(WIFEXITED(state));
    return WEXITSTATUS(state);
}

Handles handles_of(const Objects& objects) {
    return {objects.i(), objects.d(), objects.m(), objects.p(), objects.k(), objects.q(), objects.t(), objects.o(), objects.y()};
}

}  // namespace

TEST_SUITE("fork") {
    TEST_CASE("the table has every exported function that takes a handle") {
        std::set<std::string> named;
        for (const auto& [name, call] : make_calls()) named.insert(name);
        CHECK(named == functions_with_handles());
    }

    TEST_CASE("the parent's handles are refused by every entry point of the child, and still work in the parent") {
        Objects objects;
        const Handles parent = handles_of(objects);
        const int code = in_child([&] {
            Objects mine;
            const Handles own = handles_of(mine);
            int wrong = 0;
            for (const auto& [name, call] : make_calls()) {
                const qiao_status status = call(parent, own);
                if (status == QIAO_ERROR_FORKED && last_failure().remedy.find("new instance in the child") != std::string::npos) continue;
                ++wrong;
                std::cerr << name << " answers " << describe(status) << "\n";
            }
            check_works(mine.session);
            return wrong;
        });
        CHECK(code == 0);
        check_works(objects.session);
        CHECK(download<uint32_t>(objects.memory, 16) == numbers(16));
    }

    TEST_CASE("a child of a busy parent exits, and its callbacks are the parent's alone") {
        Objects objects;
        const Memory word = objects.session.upload(std::vector<uint32_t>{0});
        const bool holds = objects.session.is_fixture();
        const uint64_t address = address_of(word);
        std::atomic<int> called{0};
        if (holds) launch(objects.queue, kernel_of(objects.program, "hold"), items(1), blocks::Hold{address});
        uint64_t value = 0;
        REQUIRE_OK(qiao_queue_call(objects.q(), [](void* user, qiao_status) { ++*static_cast<std::atomic<int>*>(user); }, &called, &value));
        std::atomic<bool> stop{false};
        std::vector<std::thread> makers;  // so that somebody is inside the library at the time of the fork
        for (int i = 0; i < 2; ++i) {
            makers.emplace_back([&] {
                while (!stop) {
                    qiao_timeline* timeline = nullptr;
                    REQUIRE_OK(qiao_timeline_create(objects.i(), 0, &timeline));
                    REQUIRE_OK(qiao_timeline_release(timeline));
                }
            });
        }
        for (int i = 0; i < 10; ++i) {
            const int code = in_child([&] {
                called = 100;  // the child's copy
                if (qiao_queue_release(objects.q()) != QIAO_ERROR_FORKED) return 1;
                if (qiao_instance_release(objects.i()) != QIAO_ERROR_FORKED) return 2;
                Session mine;
                qiao_timeline* timeline = nullptr;
                if (qiao_timeline_create(mine.instance.get(), 0, &timeline) != QIAO_OK) return 3;
                if (qiao_timeline_release(timeline) != QIAO_OK) return 4;
                if (qiao_timeline_release(objects.t()) != QIAO_ERROR_FORKED) return 5;
                return called == 100 ? 0 : 6;
            });
            CHECK(code == 0);
        }
        stop = true;
        for (std::thread& maker : makers) maker.join();
        if (holds) __atomic_store_n(reinterpret_cast<uint32_t*>(static_cast<uintptr_t>(address)), 1u, __ATOMIC_RELEASE);
        wait_for(objects.queue, value);
        CHECK(called == 1);
    }
}
