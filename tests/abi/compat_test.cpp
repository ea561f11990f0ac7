// Old with new: a plugin of ABI 0.0 and one of a later minor under this core, and applications whose structs are shorter or
// longer than this library's. Nothing is written beyond what the other side has room for.
#include <cstring>
#include <functional>
#include <map>

#include "api/support/blocks.h"
#include "api/support/kernels.h"
#include "api/support/session.h"

using namespace api;

namespace {

std::map<std::string, qiao_provenance> slots_of(qiao_device* device) {
    std::map<std::string, qiao_provenance> slots;
    const char* name = nullptr;
    qiao_provenance provenance = 0;
    for (uint32_t index = 0; qiao_device_query_slot(device, index, &name, &provenance) == QIAO_OK; ++index) slots[name] = provenance;
    return slots;
}

bool is_newer(const Session& session) {
    return std::string(session.properties.plugin) == "newer";
}

// The plugins know one kernel.
Program add_program(const Session& session) {
    const std::vector<std::byte> package = package_of({"add"});
    qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
    desc.data = package.data();
    desc.size_bytes = package.size();
    qiao_program* program = nullptr;
    REQUIRE_OK(qiao_program_create_from_package(session.device, &desc, &program));
    return Program(program);
}

void check_adds(Session& session) {
    const Program program = add_program(session);
    const Queue queue = session.queue();
    const Memory a = session.upload(numbers(100)), b = session.upload(numbers(100, 1000)), sum = session.allocate(400);
    wait_for(queue, launch(queue, kernel_of(program, "add"), items(100), blocks::Add{address_of(a), address_of(b), address_of(sum)}));
    const std::vector<uint32_t> result = download<uint32_t>(sum, 100);
    for (uint32_t i = 0; i < 100; ++i) REQUIRE(result[i] == 1000 + 2 * i);
}

constexpr size_t kHead = 2 * sizeof(void*);
constexpr unsigned char kCanary = 0x5a;

// An out-struct as an application has it that was built with a shorter or longer version: what fits is as in the full one,
// what is behind stays as it was.
template <class Struct>
void check_out(const char* name, const std::function<qiao_status(Struct*)>& query) {
    INFO(std::string(name));
    Struct full;
    std::memset(static_cast<void*>(&full), 0, sizeof full);
    full.struct_size = sizeof full;
    REQUIRE_OK(query(&full));
    for (size_t size = kHead; size <= sizeof full + 64; size += sizeof(void*)) {
        INFO(size);
        std::vector<unsigned char> room(sizeof full + 128, kCanary);
        std::memcpy(room.data(), &size, sizeof size);
        std::memset(room.data() + sizeof size, 0, sizeof(void*));
        REQUIRE_OK(query(reinterpret_cast<Struct*>(room.data())));
        CHECK(std::memcmp(room.data(), &size, sizeof size) == 0);
        const size_t written = std::min(size, sizeof full);
        CHECK(std::memcmp(room.data() + kHead, reinterpret_cast<const unsigned char*>(&full) + kHead, written - kHead) == 0);
        for (size_t at = written; at < room.size(); ++at) REQUIRE(room[at] == kCanary);
    }
    full.struct_size = kHead - 1;
    CHECK_FAILS(query(&full), QIAO_ERROR_INVALID_ARGUMENT, "struct_size is 15", "_INIT");
    full.struct_size = sizeof full;
    full.next = &full;
    CHECK_FAILS(query(&full), QIAO_ERROR_INVALID_ARGUMENT, "next");
}

// A descriptor of a longer version is taken while what this library does not know is zero; of a shorter one, as if the rest
// were zero. `least` is the size up to what must be given.
template <class Desc>
void check_desc(const char* name, Desc desc, size_t least, const std::function<qiao_status(const Desc*)>& use) {
    INFO(std::string(name));
    std::vector<unsigned char> bytes(sizeof desc + 64, 0);
    std::memcpy(bytes.data(), &desc, sizeof desc);
    auto* longer = reinterpret_cast<Desc*>(bytes.data());
    longer->struct_size = bytes.size();
    CHECK_OK(use(longer));
    bytes[sizeof desc + 9] = 1;
    CHECK_FAILS(use(longer), QIAO_ERROR_UNSUPPORTED, std::to_string(sizeof desc + 9).c_str(), "does not know");
    for (size_t size = least; size <= sizeof desc; size += sizeof(void*)) {
        INFO(size);
        std::vector<unsigned char> shorter(sizeof desc, 0xff);  // what is not its own must not be read
        std::memcpy(shorter.data(), &desc, size);
        reinterpret_cast<Desc*>(shorter.data())->struct_size = size;
        CHECK_OK(use(reinterpret_cast<Desc*>(shorter.data())));
    }
    desc.struct_size = 0;
    CHECK_FAILS(use(&desc), QIAO_ERROR_INVALID_ARGUMENT, "struct_size is 0", "_INIT");
}

}  // namespace

TEST_SUITE("compat.plugin") {
    TEST_CASE("it is usable, and runs what it can") {
        Session session;
        qiao_candidate candidate = QIAO_CANDIDATE_INIT;
        bool found = false;
        for (uint32_t index = 0; !found && qiao_instance_query_candidate(session.instance.get(), index, &candidate) == QIAO_OK; ++index) {
            found = std::string(candidate.plugin) == session.properties.plugin;
        }
        REQUIRE(found);
        INFO(std::string(candidate.reason));
        CHECK(candidate.state == QIAO_CANDIDATE_STATE_USABLE);
        CHECK(std::string(candidate.version) == (is_newer(session) ? "9.9" : "0.0"));
        CHECK(std::string(session.properties.name) == (is_newer(session) ? "from tomorrow" : "golden 0.0"));
        CHECK((session.properties.flags & ~(QIAO_DEVICE_SIMULATED | QIAO_DEVICE_SHARED_EMULATED)) == 0);  // no flag of tomorrow's came through
        check_adds(session);
    }

    TEST_CASE("slots that it has are native, the others have their default") {
        Session session;
        const auto slots = slots_of(session.device);
        const std::map<std::string, qiao_provenance> without = {
            {"device_clock", QIAO_PROVENANCE_ABSENT}, {"memory_map", QIAO_PROVENANCE_EMULATED}, {"memory_unmap", QIAO_PROVENANCE_EMULATED},
            {"program_score", QIAO_PROVENANCE_EMULATED}, {"queue_wait", QIAO_PROVENANCE_EMULATED}, {"queue_fill", QIAO_PROVENANCE_EMULATED},
            {"queue_after", QIAO_PROVENANCE_EMULATED}};
        const std::map<std::string, qiao_provenance> later = {
            {"device_native", QIAO_PROVENANCE_ABSENT}, {"memory_native", QIAO_PROVENANCE_ABSENT}, {"memory_wrap", QIAO_PROVENANCE_ABSENT},
            {"memory_import", QIAO_PROVENANCE_ABSENT}, {"memory_export", QIAO_PROVENANCE_ABSENT}, {"memory_evict", QIAO_PROVENANCE_ABSENT},
            {"memory_restore", QIAO_PROVENANCE_ABSENT}, {"queue_prefetch", QIAO_PROVENANCE_ABSENT}, {"link_describe", QIAO_PROVENANCE_ABSENT}, {"queue_can_copy", QIAO_PROVENANCE_EMULATED},
            {"queue_native", QIAO_PROVENANCE_ABSENT}, {"queue_wrap", QIAO_PROVENANCE_ABSENT}};
        size_t native = 0;
        for (const auto& [name, provenance] : slots) {
            INFO(name);
            if (is_newer(session) && without.count(name) != 0) {
                CHECK(provenance == without.at(name));
            } else if (later.count(name) != 0) {
                CHECK(provenance == later.at(name));
            } else if (provenance == QIAO_PROVENANCE_NATIVE) {
                ++native;
            }
        }
        CHECK(native == (is_newer(session) ? 31 - without.size() : 31));  // those of ABI 0.0
        qiao_native handle = QIAO_NATIVE_INIT;
        CHECK_FAILS(qiao_device_get_native(session.device, &handle), QIAO_ERROR_UNSUPPORTED, session.properties.id);
    }

    TEST_CASE("memory, copies, fills, waits between queues, maps, times, state and reset") {
        Session session;
        const Queue queue = session.queue(QIAO_QUEUE_PROFILING), second = session.queue();
        const Memory source = session.upload(numbers(64)), target = session.allocate(256);
        qiao_copy copy = QIAO_COPY_INIT;
        copy.source = {session.device, address_of(source)};
        copy.target = {session.device, address_of(target)};
        copy.size_bytes = 256;
        uint64_t copied = 0, filled = 0, behind = 0;
        REQUIRE_OK(qiao_queue_copy(queue.get(), &copy, &copied));
        const uint32_t pattern = 0xabcd;
        REQUIRE_OK(qiao_queue_fill(queue.get(), copy.target, 16, &pattern, 4, &filled));
        REQUIRE_OK(qiao_queue_after(second.get(), timeline_of(queue), filled, &behind));
        wait_for(second, behind);
        const auto result = download<uint32_t>(target, 64);
        CHECK(result[3] == 0xabcd);
        CHECK(result[4] == 4);
        CHECK(result[63] == 63);
        uint64_t start_ns = 0, end_ns = 0;
        REQUIRE_OK(qiao_queue_query_timestamps(queue.get(), copied, &start_ns, &end_ns));
        CHECK(start_ns <= end_ns);
        void* pointer = nullptr;
        REQUIRE_OK(qiao_memory_map(source.get(), 8, 8, QIAO_ACCESS_READ | QIAO_ACCESS_WRITE, &pointer));
        CHECK(static_cast<uint32_t*>(pointer)[1] == 3);
        REQUIRE_OK(qiao_memory_unmap(source.get(), pointer));
        uint64_t device_ns = 0, host_ns = 0;
        if (is_newer(session)) {
            CHECK_FAILS(qiao_device_query_clock(session.device, &device_ns, &host_ns), QIAO_ERROR_UNSUPPORTED, "clock");
        } else {
            CHECK_OK(qiao_device_query_clock(session.device, &device_ns, &host_ns));
        }
        REQUIRE_OK(qiao_device_reset(session.device));
        check_adds(session);
    }

    TEST_CASE("an extension that nobody here knows can be got by who does") {
        const Session session;
        const void* table = nullptr;
        void* context = nullptr;
        if (!is_newer(session)) {
            CHECK_FAILS(qiao_device_get_extension(session.device, "newer.future.3", &table, &context), QIAO_ERROR_NOT_FOUND, "it has: none");
            return;
        }
        REQUIRE_OK(qiao_device_get_extension(session.device, "newer.future.3", &table, &context));
        CHECK(static_cast<const size_t*>(table)[1] == 42);
        CHECK_FAILS(qiao_device_get_extension(session.device, "newer.future.4", &table, &context), QIAO_ERROR_NOT_FOUND, "newer.future.3");
    }
}

TEST_SUITE("compat.application") {
    TEST_CASE("out-structs of every length are filled as far as they go, and no further") {
        Session session;
        const Memory memory = session.allocate(64);
        const Program program = add_program(session);
        qiao_kernel* const kernel = kernel_of(program, "add");
        const Pool pool = session.pool();
        check_out<qiao_candidate>("qiao_candidate", [&](qiao_candidate* out) { return qiao_instance_query_candidate(session.instance.get(), 0, out); });
        check_out<qiao_device_properties>("qiao_device_properties", [&](qiao_device_properties* out) { return qiao_device_query_properties(session.device, out); });
        check_out<qiao_memory_properties>("qiao_memory_properties", [&](qiao_memory_properties* out) { return qiao_memory_query(memory.get(), out); });
        check_out<qiao_pool_statistics>("qiao_pool_statistics", [&](qiao_pool_statistics* out) { return qiao_pool_query(pool.get(), out); });
        check_out<qiao_program_properties>("qiao_program_properties", [&](qiao_program_properties* out) { return qiao_program_query(program.get(), out); });
        check_out<qiao_kernel_properties>("qiao_kernel_properties", [&](qiao_kernel_properties* out) { return qiao_kernel_query(kernel, out); });
        check_out<qiao_kernel_argument>("qiao_kernel_argument", [&](qiao_kernel_argument* out) { return qiao_kernel_query_argument(kernel, 1, out); });
    }

    TEST_CASE("the error record keeps to its length too") {
        CHECK(qiao_timeline_wait(nullptr, 0, 0) == QIAO_ERROR_INVALID_HANDLE);
        for (size_t size = kHead; size <= sizeof(qiao_error) + 64; size += sizeof(void*)) {
            std::vector<unsigned char> room(sizeof(qiao_error) + 128, kCanary);
            std::memcpy(room.data(), &size, sizeof size);
            std::memset(room.data() + sizeof size, 0, sizeof(void*));
            REQUIRE(qiao_error_query(reinterpret_cast<qiao_error*>(room.data())) == QIAO_OK);
            for (size_t at = std::min(size, sizeof(qiao_error)); at < room.size(); ++at) REQUIRE(room[at] == kCanary);
        }
    }

    TEST_CASE("descriptors of every length are read as far as they go") {
        Session session;
        qiao_memory_desc memory_desc = QIAO_MEMORY_DESC_INIT;
        memory_desc.size_bytes = 64;
        check_desc<qiao_memory_desc>("qiao_memory_desc", memory_desc, offsetof(qiao_memory_desc, alignment), [&](const qiao_memory_desc* desc) {
            qiao_memory* memory = nullptr;
            const qiao_status status = qiao_memory_allocate(session.device, desc, &memory);
            CHECK(qiao_memory_release(memory) == QIAO_OK);
            return status;
        });
        check_desc<qiao_pool_desc>("qiao_pool_desc", QIAO_POOL_DESC_INIT, kHead, [&](const qiao_pool_desc* desc) {
            qiao_pool* pool = nullptr;
            const qiao_status status = qiao_pool_create(session.device, desc, &pool);
            CHECK(qiao_pool_release(pool) == QIAO_OK);
            return status;
        });
        check_desc<qiao_queue_desc>("qiao_queue_desc", QIAO_QUEUE_DESC_INIT, kHead, [&](const qiao_queue_desc* desc) {
            qiao_queue* queue = nullptr;
            const qiao_status status = qiao_queue_create(session.device, desc, &queue);
            CHECK(qiao_queue_release(queue) == QIAO_OK);
            return status;
        });
        const std::string path = plugin_path();
        qiao_instance_desc instance_desc = QIAO_INSTANCE_DESC_INIT;
        instance_desc.plugin_path = path.c_str();
        check_desc<qiao_instance_desc>("qiao_instance_desc", instance_desc, offsetof(qiao_instance_desc, visible_devices), [&](const qiao_instance_desc* desc) {
            qiao_instance* instance = nullptr;
            const qiao_status status = qiao_instance_create(desc, &instance);
            CHECK(qiao_instance_release(instance) == QIAO_OK);
            return status;
        });
    }
}
