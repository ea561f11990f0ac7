/* What every case starts with: an instance with the device that QIAO_TEST_DEVICE selects, owners of its handles, and checks
 * that show the library's own words when they fail. Cases use qiao/qiao.h and this, nothing of the core's insides. */
#pragma once

#include <doctest/doctest.h>
#include <qiao/qiao.h>

#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace api {

// The thread's last error, copied.
struct Failure {
    qiao_status status = QIAO_OK;
    uint32_t line = 0;
    std::string message, remedy, object, plugin, vendor_text, log;
    int64_t vendor_code = 0;
};
Failure last_failure();
std::string describe(qiao_status status);

// Fails the case unless the call succeeded, with the library's words.
#define REQUIRE_OK(call)                                        \
    do {                                                        \
        const qiao_status required_ = (call);                   \
        const std::string words_ = api::describe(required_);    \
        INFO(std::string(#call), " -> ", words_);               \
        REQUIRE(required_ == QIAO_OK);                          \
    } while (false)
#define CHECK_OK(call)                                          \
    do {                                                        \
        const qiao_status checked_ = (call);                    \
        const std::string words_ = api::describe(checked_);     \
        INFO(std::string(#call), " -> ", words_);               \
        CHECK(checked_ == QIAO_OK);                             \
    } while (false)

// The call failed with that status, and the record's message or remedy has each of the fragments.
void check_fails(const char* call, qiao_status actual, qiao_status expected, std::initializer_list<const char*> fragments);
#define CHECK_FAILS(call, expected, ...) api::check_fails(#call, (call), (expected), {__VA_ARGS__})

template <class Handle, qiao_status (*release)(Handle*)>
struct Release {
    void operator()(Handle* handle) const { CHECK(release(handle) == QIAO_OK); }
};
using Instance = std::unique_ptr<qiao_instance, Release<qiao_instance, qiao_instance_release>>;
using Memory = std::unique_ptr<qiao_memory, Release<qiao_memory, qiao_memory_release>>;
using Program = std::unique_ptr<qiao_program, Release<qiao_program, qiao_program_release>>;
using Queue = std::unique_ptr<qiao_queue, Release<qiao_queue, qiao_queue_release>>;
using Pool = std::unique_ptr<qiao_pool, Release<qiao_pool, qiao_pool_release>>;
using Topology = std::unique_ptr<qiao_topology, Release<qiao_topology, qiao_topology_release>>;
using Timeline = std::unique_ptr<qiao_timeline, Release<qiao_timeline, qiao_timeline_release>>;

// No wait of the tests needs this long; one that would hang ends as a failure.
inline constexpr uint64_t kPatience = UINT64_C(20'000'000'000);

std::string selector();
// The folders of manifests that ctest gives: nothing else is searched.
std::string plugin_path();

struct LogLine {
    qiao_log_level level;
    std::string source, text;
};

// What an instance said; the callback may come from any thread.
class LogLines {
   public:
    static void callback(void* self, qiao_log_level level, const char* source, const char* text);
    std::vector<LogLine> lines();

   private:
    std::mutex mutex_;
    std::vector<LogLine> lines_;
};

class Session {
   public:
    Session();
    ~Session() = default;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    LogLines log;  // first: the instance writes to it until it is gone
    Instance instance;
    qiao_device* device = nullptr;  // the one under test
    qiao_device_properties properties = QIAO_DEVICE_PROPERTIES_INIT;

    Memory allocate(uint64_t size_bytes, qiao_memory_kind kind = QIAO_MEMORY_KIND_DEVICE);
    Queue queue(uint64_t flags = 0);
    Timeline timeline(uint64_t initial_value = 0);
    Pool pool(const qiao_pool_desc& desc = QIAO_POOL_DESC_INIT);
    // What the system's own files and the plugins say: no library is opened for it.
    Topology topology();
    // The kernels of support/kernels.h that the device runs.
    Program program();

    bool has_kind(qiao_memory_kind kind) const { return (properties.memory_kinds & (1u << kind)) != 0; }
    // Whether the library makes it.
    bool is_emulated(qiao_memory_kind kind) const {
        return kind == QIAO_MEMORY_KIND_SHARED && (properties.flags & QIAO_DEVICE_SHARED_EMULATED) != 0;
    }
    // Whether it is a fixture of these tests, with kernels that hold, fail and lose.
    bool is_fixture() const { return std::string(properties.formats) == "fixture"; }
    // Whether it runs the package of support/kernels.h as it is; other devices take compiled code.
    bool takes_packages() const;
    std::vector<qiao_device*> devices();

    template <class T>
    Memory upload(const std::vector<T>& values) {
        Memory memory = allocate(values.size() * sizeof(T));
        REQUIRE_OK(qiao_memory_write(memory.get(), 0, values.data(), values.size() * sizeof(T)));
        return memory;
    }
};

uint64_t address_of(const Memory& memory);
qiao_kernel* kernel_of(const Program& program, const char* name);
qiao_timeline* timeline_of(const Queue& queue);

template <class T>
std::vector<T> download(const Memory& memory, size_t count, uint64_t offset = 0) {
    std::vector<T> values(count);
    REQUIRE_OK(qiao_memory_read(memory.get(), offset, values.data(), count * sizeof(T)));
    return values;
}

// The byte at `offset` of the memory; the byte that a host pointer points to.
qiao_place place(const Memory& memory, uint64_t offset = 0);
qiao_place place(const void* pointer);
qiao_copy copy_of(const qiao_place& source, const qiao_place& target, uint64_t size_bytes);

// Each submits one operation, which must be accepted, and returns its value.
uint64_t copy(const Queue& queue, const qiao_place& source, const qiao_place& target, uint64_t size_bytes);
uint64_t fill(const Queue& queue, const qiao_place& target, uint64_t size_bytes, uint32_t pattern);
uint64_t after(const Queue& queue, qiao_timeline* timeline, uint64_t value);

// Waits with patience; the work must have succeeded.
void wait_for(const Queue& queue, uint64_t value);
uint64_t value_of(qiao_timeline* timeline);

qiao_launch items(uint64_t x, uint64_t group = 0);
qiao_launch items_3d(uint64_t x, uint64_t y, uint64_t z, uint64_t group_x = 0, uint64_t group_y = 0, uint64_t group_z = 0);

template <class Block>
uint64_t launch(const Queue& queue, qiao_kernel* kernel, const qiao_launch& shape, const Block& block) {
    uint64_t value = 0;
    REQUIRE_OK(qiao_queue_launch(queue.get(), kernel, &shape, &block, sizeof block, &value));
    return value;
}

// A vector addition from upload to download, on objects of its own: what must still work after something was refused.
void check_works(Session& session);

// The numbers first, first + 1, ...
std::vector<uint32_t> numbers(size_t count, uint32_t first = 0);

}  // namespace api
