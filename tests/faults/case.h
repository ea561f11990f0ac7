/* What scenarios are made of: a session with the card under test and its neighbour, owners of handles, and a way out at the
 * first call that fails. Uses qiao/qiao.h alone. */
#pragma once

#include <qiao/qiao.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace faults {

/* A call that failed; scenarios end with it. */
struct Stopped {
    qiao_status status;
    std::string call;
};

/* What a run did that it must not, whatever fault there was. Thread-safe. */
void complain(const std::string& text);

/* Throws Stopped unless the call succeeded; a failure must come with its record. */
void check(qiao_status status, const char* call);
#define CHECK(call) ::faults::check((call), #call)
/* The result is what was computed. */
void expect(bool right, const char* what);
#define EXPECT(condition) ::faults::expect((condition), #condition)

template <class Handle, qiao_status (*release)(Handle*)>
struct Release {
    void operator()(Handle* handle) const {
        if (release(handle) != QIAO_OK) complain("a release failed");
    }
};
using Memory = std::unique_ptr<qiao_memory, Release<qiao_memory, qiao_memory_release>>;
using Program = std::unique_ptr<qiao_program, Release<qiao_program, qiao_program_release>>;
using Queue = std::unique_ptr<qiao_queue, Release<qiao_queue, qiao_queue_release>>;
using Timeline = std::unique_ptr<qiao_timeline, Release<qiao_timeline, qiao_timeline_release>>;

struct Session {
    qiao_instance* instance = nullptr;
    qiao_device* device = nullptr;    /* mock:0 */
    qiao_device* neighbour = nullptr; /* mock:1 */
    const std::vector<std::byte>* package = nullptr;
    uint64_t patience_ns = 0; /* of every wait */
};

Memory allocate(qiao_device* device, uint64_t size_bytes, qiao_memory_kind kind = QIAO_MEMORY_KIND_DEVICE);
Memory upload(qiao_device* device, const std::vector<uint32_t>& values);
std::vector<uint32_t> download(const Memory& memory, size_t count);
uint64_t address_of(const Memory& memory);
Queue make_queue(qiao_device* device, uint64_t flags = 0);
Program load(const Session& session, qiao_device* device);
qiao_kernel* kernel_of(const Program& program, const char* name);
void wait_for(const Session& session, const Queue& queue, uint64_t value);
std::vector<uint32_t> numbers(size_t count, uint32_t first);

/* out[i] = a[i] + b[i]; the value of the launch. */
uint64_t launch_add(const Queue& queue, qiao_kernel* kernel, const Memory& a, const Memory& b, const Memory& out,
                    uint32_t count);

struct Scenario {
    const char* name;
    void (*run)(const Session& session);
};
extern const std::vector<Scenario> kScenarios;

/* The OpenCL C of their kernels. */
extern const char* const kSource;

} // namespace faults
