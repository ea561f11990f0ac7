/* A T1 plugin over host memory for the API's tests, with queues that run on threads of their own. It keeps its side of
 * qiao/plugin.h to the letter (a completion is visible at marks only, slots fail when told to), and it watches the core's:
 * what breaks a rule of that header ends the process with the rule's words. Its kernels are C++ functions found by name. */
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/host.h"
#include "qiao/plugin.h"

namespace queued {

using qiao::plugin::Host;

// Ends the process: the core broke a promise.
[[noreturn, gnu::format(printf, 1, 2)]] void violation(const char* format, ...);

struct Plugin {
    Host host;
};

// What a device of this plugin leaves to the core.
struct Traits {
    const char* name;
    bool free_threaded;
    bool host_pointers;  // of host and shared memory
    bool addresses;      // else it wants bindings
    const qiao_plugin_tables* tables;
    bool lies = false;  // of its memory's levels
};
extern const std::array<Traits, 6> kTraits;

struct Device;

struct Allocation {
    Device* device;
    std::byte* bytes;
    uint64_t size_bytes;
    std::atomic<int> users{0};  // operations that will touch it
    std::atomic<int> maps{0};
};

struct Device {
    Plugin* plugin = nullptr;
    const Traits* traits = nullptr;
    uint64_t token = 0;
    std::atomic<int> inside{0};  // threads in slots that the core serialises
    std::atomic<bool> lost{false}, removed{false};
    std::atomic<uint64_t> epoch{0};  // of resets
    std::atomic<bool> stuck{false};  // a call is inside the jammed slot
    std::atomic<bool> resetting{false};
    std::atomic<bool> let_go{false};  // kernels `hold` end
    std::mutex mutex;                // guards what follows
    std::string lost_reason;
    std::map<uint64_t, Allocation*> allocations;
    std::set<struct Program*> programs;
    std::set<struct Queue*> queues;
    uint64_t used_bytes = 0;
    std::string jammed;              // the slot whose next call gets stuck
};

// A slot of a device may see the loss before the core has been told, and says why then.
qiao_status fail_lost(Device& device);

// While it lives a thread is inside a slot of the device.
class Inside {
   public:
    explicit Inside(Device& device, const char* slot);
    ~Inside() { device_.inside.fetch_sub(1); }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    Device& device_;
};

// The same of a slot that destroys something, which must not be called while the device is being reset.
class Destroying : public Inside {
   public:
    Destroying(Device& device, const char* slot);
};

// Counts as use of allocations until it goes.
class Users {
   public:
    void add(Device& device, uint64_t address);
    void add(Allocation* allocation);
    ~Users();
    Users() = default;
    Users(Users&&) = default;
    Users& operator=(Users&&) = delete;

   private:
    std::vector<Allocation*> allocations_;
};

struct Launch {
    Device* device;
    qiao_plugin_geometry geometry;
    std::vector<std::byte> block;
    std::function<bool()> given_up;  // the device is lost: end early
};

// How a kernel ended: a status, with the words for it.
struct Ended {
    qiao_status status = QIAO_OK;
    const char* message = "";
};

struct KernelCode {
    const char* name;
    uint32_t block_size;
    Ended (*run)(const Launch& launch);
};
const KernelCode* find_code(const char* name);

struct Kernel {
    const KernelCode* code;
    struct Program* program;
    std::vector<uint32_t> addresses;  // where they stand in the block
    std::atomic<int> users{0};  // launches that have not ended
};

struct Program {
    Device* device;
    std::mutex mutex;
    std::vector<std::unique_ptr<Kernel>> kernels;
};

// The launch with the addresses of its bindings in the block, where the device has none; adds what it touches to `users`.
Launch make_launch(Device& device, const Kernel& kernel, const qiao_plugin_geometry& geometry, const void* block,
                   const qiao_plugin_binding* bindings, Users& users);

extern const qiao_plugin_device_ops kDeviceOps, kLeastDeviceOps;
extern const qiao_plugin_memory_ops kMemoryOps, kLeastMemoryOps;
extern const qiao_plugin_program_ops kProgramOps;
extern const qiao_plugin_extension kExtensions[];
extern const qiao_plugin_queue_ops kQueueOps, kLeastQueueOps, kNotifyingQueueOps;
extern const qiao_plugin_link_ops kLinkOps;

}  // namespace queued
