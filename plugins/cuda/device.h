// The plugin of one family, the devices that its libraries have, and a device that is open. What works on a device is tried out when it
// is opened (probe.cpp); everybody else asks Works.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "driver.h"

namespace qiao::cuda {

struct Queue;

// A device as found; filled once and then constant.
struct DeviceRecord {
    Driver* driver = nullptr;
    int ordinal = 0;
    DeviceHandle handle = 0;
    std::string target; // "sm_80"; "" = unknown
    std::string formats;
    qiao_plugin_device_info info = {};
};

// The slots of a library's devices: those it has functions for.
struct Tables {
    qiao_plugin_device_ops device;
    qiao_plugin_memory_ops memory;
    qiao_plugin_program_ops program;
    qiao_plugin_queue_ops queue;
    qiao_plugin_tables all;
};

struct Library {
    std::unique_ptr<Driver> driver;
    Tables tables;
};

struct Plugin {
    Host host;
    const qiao_host_api* api = nullptr;
    Family family;
    std::mutex mutex; // guards what follows
    bool enumerated = false;
    std::deque<Library> libraries;
    std::deque<DeviceRecord> records;
};

// What was seen to work. A function that is there need not do anything.
struct Works {
    bool direct_copies = false;
    bool fill8 = false, fill16 = false, fill32 = false;
    bool rows = false;
    bool host_memory = false;
    bool managed_memory = false;
    bool elapsed = false;
};

// A moment on the device's clock: an event that has been reached, and what time it was.
struct Moment {
    void* event = nullptr;
    double ns = 0;
};

struct Device {
    Driver* driver = nullptr;
    const qiao_host_api* api = nullptr;
    const DeviceRecord* record = nullptr;
    uint64_t token = 0;
    Context context;
    bool retained = false;
    Works works;
    int priorities[2] = {0, 0}; // of streams: normal, highest
    std::atomic<bool> lost{false};
    void* immediate = nullptr; // the stream of blocking copies, and of launches without a queue

    std::mutex mutex; // guards what follows
    std::vector<Queue*> queues;
    std::vector<void*> spare_events; // with times where those work
    Moment clock;                    // the latest known
};

inline constexpr unsigned kStreamFlags = 1;       // does not wait for the default stream
inline constexpr unsigned kEventWithoutTime = 2;
inline constexpr unsigned kManagedForEverybody = 1;

// Makes the device's context the thread's, and gives the thread's own back in the end: the application may use the vendor's functions
// itself. A thread that had none keeps it, which spares each launch two calls.
class Current {
  public:
    [[gnu::always_inline]] explicit Current(const Device& device) : device_(device) {
        const Symbols& call = device.driver->call();
        if (call.context_get != nullptr) [[likely]] {
            void* now = nullptr;
            call.context_get(&now);
            if (now == device.context.handle) [[likely]]
                return;
            enter(now);
        } else {
            enter_without_context();
        }
    }
    [[gnu::always_inline]] ~Current() {
        if (entered_) [[unlikely]]
            leave();
    }
    Current(const Current&) = delete;
    Current& operator=(const Current&) = delete;

  private:
    void enter(void* now) noexcept;
    void enter_without_context() noexcept;
    void leave() noexcept;

    const Device& device_;
    void* before_ = nullptr;
    int device_before_ = 0;
    bool entered_ = false;
};

// Fills what a record knows without opening the device (device_info.cpp).
void describe_device(const Plugin& plugin, DeviceRecord& record);

// Which functions of the library work on this device (probe.cpp). False where not even a copy there and back does; `*out_reason` says
// what was found not to work.
bool try_out(Device& device, std::string* out_reason);
// The same for copies from one device's memory to another's.
bool peer_copies_work(Device& from, Device& to);

// Reports a failed call of a running device, and the device's loss if the code means that.
qiao_status device_failed(Device& device, Code code, std::string message, std::string remedy = "") noexcept;
// Whether the code means that the device is gone. Tells the host once.
bool check_lost(Device& device, Code code) noexcept;

// Events without an owner; null and *out_code on failure.
void* take_event(Device& device, Code* out_code);
void give_event(Device& device, void* event) noexcept;

// Waits until the event is reached, by asking for it in pauses. TIMEOUT, or the failure of the work before it.
qiao_status wait_event(Device& device, void* event, uint64_t timeout_ns, const char* what) noexcept;
// The same for all that was put on a stream. Needs the current context.
qiao_status finish(Device& device, void* stream, const char* what);

// All that was submitted to the device (queue.cpp).
qiao_status synchronize(Device& device, uint64_t timeout_ns);

// Slots of several tables (native.cpp).
qiao_status cuda_device_native(void* device, qiao_native* out_native);
qiao_status cuda_memory_native(void* device, void* allocation, qiao_native* out_native);
qiao_status cuda_memory_wrap(void* device, const qiao_plugin_memory_desc* desc, const qiao_native* native, qiao_plugin_allocation* out_allocation);
qiao_status cuda_queue_native(void* queue, qiao_native* out_native);
qiao_status cuda_queue_wrap(void* device, const qiao_plugin_queue_desc* desc, const qiao_native* native, void** out_queue);

extern const qiao_plugin_device_ops cuda_device_ops;
extern const qiao_plugin_memory_ops cuda_memory_ops;
extern const qiao_plugin_program_ops cuda_program_ops;
extern const qiao_plugin_queue_ops cuda_queue_ops;

} // namespace qiao::cuda
