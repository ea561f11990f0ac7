/* Devices: views of what an instance owns. */
#ifndef QIAO_HPP_DEVICE_HPP
#define QIAO_HPP_DEVICE_HPP

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "qiao/device.h"
#include "qiao/hpp/error.hpp"

namespace qiao {
inline namespace v0 {

enum class MemoryKind : qiao_memory_kind {
    kDevice = QIAO_MEMORY_KIND_DEVICE, ///< the card's own memory
    kHost = QIAO_MEMORY_KIND_HOST,     ///< host memory that the card can reach
    kShared = QIAO_MEMORY_KIND_SHARED, ///< one address for host and card
};

/// What memory of a kind can do; each level includes those below it (types.h has them in full).
enum class MemoryLevel : qiao_memory_level {
    kCopy = QIAO_MEMORY_LEVEL_COPY,         ///< copies only
    kArgument = QIAO_MEMORY_LEVEL_ARGUMENT, ///< its addresses are arguments of kernels
    kPointer = QIAO_MEMORY_LEVEL_POINTER,   ///< addresses inside data are followed; of host and shared memory the host's pointers
    kCoherent = QIAO_MEMORY_LEVEL_COHERENT, ///< host and a running kernel see each other's stores and atomics
    kSystem = QIAO_MEMORY_LEVEL_SYSTEM,     ///< any pointer of the process
};
struct MemoryKindProperties {
    MemoryKind kind = MemoryKind::kDevice;
    MemoryLevel level = MemoryLevel::kCopy;
    qiao_provenance provenance = QIAO_PROVENANCE_ABSENT; ///< who makes memory of this kind
};

/// All fields of the C struct, and the questions one asks of its bit sets. Strings live as long as the instance.
struct DeviceProperties : qiao_device_properties {
    DeviceProperties() noexcept : qiao_device_properties(QIAO_DEVICE_PROPERTIES_INIT) {}
    /// All of these QIAO_FEATURE_ bits.
    bool has(qiao_features wanted) const noexcept { return (features & wanted) == wanted; }
    bool has(MemoryKind kind) const noexcept { return (memory_kinds & (1u << static_cast<uint32_t>(kind))) != 0; }
    bool is_simulated() const noexcept { return (flags & QIAO_DEVICE_SIMULATED) != 0; }
    bool has_emulated_addresses() const noexcept { return (flags & QIAO_DEVICE_ADDRESSES_EMULATED) != 0; }
    bool has_emulated_shared() const noexcept { return (flags & QIAO_DEVICE_SHARED_EMULATED) != 0; }
};

struct DeviceState {
    bool is_lost = false;
    bool is_removed = false; ///< lost, and no longer there
    std::string reason; ///< "" when well
};
struct DeviceMemory {
    uint64_t free_bytes = 0, total_bytes = 0;
};
/// One moment on two clocks: that of queue timestamps, and the host's CLOCK_MONOTONIC.
struct DeviceClock {
    uint64_t device_ns = 0, host_ns = 0;
};
/// A vendor's own function table, and what its functions take as first argument. Both live as long as the instance.
template <class Table>
struct Extension {
    const Table* table = nullptr;
    void* context = nullptr;
};
/// A function of the plugin ABI, and who does it for this device.
struct DeviceSlot {
    const char* name = "";
    qiao_provenance provenance = QIAO_PROVENANCE_ABSENT;
};

namespace detail {

/// Nanoseconds as the C interface takes them: what is negative is over already.
inline uint64_t timeout_of(std::chrono::nanoseconds timeout) noexcept {
    return timeout.count() < 0 ? 0 : static_cast<uint64_t>(timeout.count());
}
/// Of a wait with a time limit: whether it is over.
inline bool has_ended(qiao_status status) {
    if (status == QIAO_TIMEOUT || status == QIAO_NOT_READY) return false;
    check(status);
    return true;
}

} // namespace detail

/// A device: a pointer, copied freely, valid as long as its instance (which everything made on the device keeps alive).
class Device {
  public:
    Device() noexcept = default;
    Device(qiao_device* device) noexcept : device_(device) {}

    qiao_device* get() const noexcept { return device_; }
    explicit operator bool() const noexcept { return device_ != nullptr; }
    friend bool operator==(Device a, Device b) noexcept { return a.device_ == b.device_; }
    friend bool operator!=(Device a, Device b) noexcept { return a.device_ != b.device_; }

    /// Costs a copy; for one number see limit().
    DeviceProperties properties() const {
        DeviceProperties properties;
        check(qiao_device_query_properties(device_, &properties));
        return properties;
    }
    /// "mock:0". Lives as long as the instance.
    const char* id() const { return properties().id; }
    /// One number of the properties, in a nanosecond or two.
    uint64_t limit(qiao_device_limit which) const {
        uint64_t value = 0;
        check(qiao_device_get_limit(device_, which, &value));
        return value;
    }
    DeviceState state() const {
        qiao_device_state state = QIAO_DEVICE_STATE_OK;
        const char* reason = "";
        check(qiao_device_query_state(device_, &state, &reason));
        return {state != QIAO_DEVICE_STATE_OK, state == QIAO_DEVICE_STATE_REMOVED, reason};
    }
    /// Now, as the plugin reports it, else the core's own count.
    DeviceMemory memory() const {
        DeviceMemory memory;
        check(qiao_device_query_memory(device_, &memory.free_bytes, &memory.total_bytes));
        return memory;
    }
    DeviceClock clock() const {
        DeviceClock clock;
        check(qiao_device_query_clock(device_, &clock.device_ns, &clock.host_ns));
        return clock;
    }
    /// UnsupportedError for a kind that the device has not.
    MemoryKindProperties memory_kind(MemoryKind kind) const {
        qiao_memory_kind_properties properties = QIAO_MEMORY_KIND_PROPERTIES_INIT;
        check(qiao_device_query_memory_kind(device_, static_cast<qiao_memory_kind>(kind), &properties));
        return {kind, static_cast<MemoryLevel>(properties.level), properties.provenance};
    }
    /// All that it has.
    std::vector<MemoryKindProperties> memory_kinds() const {
        const DeviceProperties all = properties();
        std::vector<MemoryKindProperties> kinds;
        for (const MemoryKind kind : {MemoryKind::kDevice, MemoryKind::kHost, MemoryKind::kShared})
            if (all.has(kind)) kinds.push_back(memory_kind(kind));
        return kinds;
    }
    std::vector<DeviceSlot> slots() const {
        std::vector<DeviceSlot> all;
        for (uint32_t index = 0;; ++index) {
            DeviceSlot slot;
            const qiao_status status = qiao_device_query_slot(device_, index, &slot.name, &slot.provenance);
            if (status == QIAO_ERROR_NOT_FOUND) return all;
            check(status);
            all.push_back(slot);
        }
    }

    /// Names of the vendor's own function tables: "vendor.noun.N". They live as long as the instance.
    std::vector<const char*> extensions() const {
        std::vector<const char*> all;
        for (uint32_t index = 0;; ++index) {
            const char* name = nullptr;
            const qiao_status status = qiao_device_query_extension(device_, index, &name);
            if (status == QIAO_ERROR_NOT_FOUND) return all;
            check(status);
            all.push_back(name);
        }
    }
    /// Table is what the vendor's header says that it is: nobody can check it. NotFoundError lists the names there are.
    template <class Table>
    Extension<Table> extension(const char* name) const {
        const void* table = nullptr;
        Extension<Table> found;
        check(qiao_device_get_extension(device_, name, &table, &found.context));
        found.table = static_cast<const Table*>(table);
        return found;
    }
    /// The vendor's own device. UnsupportedError if the plugin gives none out.
    qiao_native native() const {
        qiao_native native = QIAO_NATIVE_INIT;
        check(qiao_device_get_native(device_, &native));
        return native;
    }

    /// Waits until all work that was submitted to the device before the call has ended.
    void synchronize() const { check(qiao_device_synchronize(device_, QIAO_TIMEOUT_INFINITE)); }
    /// False if the time was over first.
    [[nodiscard]] bool synchronize(std::chrono::nanoseconds timeout) const {
        return detail::has_ended(qiao_device_synchronize(device_, detail::timeout_of(timeout)));
    }
    /// Starts the device anew, also a lost one. Everything made on it before throws DeviceLostError from then on.
    void reset() const { check(qiao_device_reset(device_)); }

  private:
    qiao_device* device_ = nullptr;
};

} // namespace v0
} // namespace qiao

#endif
