#include "core/device.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <numeric>
#include <span>
#include <sstream>
#include <string>

#include "core/memory.h"
#include "core/module.h"
#include "core/stream.h"

namespace fakes {
namespace {

constexpr int kMaxDepth = 32;
constexpr uint64_t kMemoryBytes = uint64_t{1} << 30;
constexpr int kMaxGroup = 1024;
constexpr int kLocalBytes = 48 << 10;

/* Trivial, so that the library can be unloaded while the thread goes on. */
thread_local Device* stack[kMaxDepth];
thread_local int depth = 0;
thread_local int selected = 0; /* of HIP's way */

std::atomic<bool> was_initialized = false;

/* Numbers of cards, up to the first that means none: so do the libraries. */
std::vector<int> visible_numbers() {
    const int count = switches().devices;
    std::vector<int> numbers;
    const char* given = family().visible_variable != nullptr ? std::getenv(family().visible_variable) : nullptr;
    if (given == nullptr) {
        numbers.resize(static_cast<size_t>(count));
        std::iota(numbers.begin(), numbers.end(), 0);
        return numbers;
    }
    std::istringstream words(given);
    for (std::string word; std::getline(words, word, ',');) {
        int number = -1;
        std::from_chars(word.data(), word.data() + word.size(), number);
        if (number < 0 || number >= count || std::ranges::find(numbers, number) != numbers.end()) break;
        numbers.push_back(number);
    }
    return numbers;
}

std::span<Device> devices() {
    static const std::span<Device> made = [] {
        const std::vector<int> numbers = visible_numbers();
        auto* list = new Device[numbers.size()]; /* as long as the process: threads may ask until the last moment */
        for (size_t index = 0; index < numbers.size(); ++index) {
            list[index].ordinal = static_cast<int>(index);
            list[index].number = numbers[index];
        }
        return std::span(list, numbers.size());
    }();
    return made;
}

mock::CardProfile profile() {
    mock::CardProfile made;
    made.name = std::string("Fake ") + family().id + " card";
    made.kind = mock::CardKind::kDiscrete;
    made.memory_bytes = made.max_allocation_bytes = made.host_memory_bytes = kMemoryBytes;
    made.max_group_size = kMaxGroup;
    made.local_memory_bytes = kLocalBytes;
    made.lost_after_operations = switches().lost_after;
    return made;
}

void retain(Device& device) {
    const std::lock_guard lock(device.mutex);
    if (device.retained > 0) {
        ++device.retained;
        return;
    }
    if (device.card == nullptr) {
        mock::MachineOptions options;
        options.strict = has(Quirk::kStrictMemory);
        device.card = std::make_shared<mock::Card>(profile(), options);
    } else if (device.card->lost()) {
        check(device.card->reset());
    }
    device.legacy = make_stream(device, 0, 0);
    import_all_into(device);
    device.retained.store(1, std::memory_order_release); /* from now on others see it */
}

/* With the device's mutex held. All that was made in the context goes with it. */
void destroy(Device& device) {
    device.card->synchronize(UINT64_MAX);
    forget_events_of(device);
    forget_streams_of(device);
    forget_modules_of(device);
    forget_memory_of(device);
    device.legacy.reset();
    device.peers = 0;
}

bool is_active(const Device& device) {
    return device.retained.load(std::memory_order_acquire) > 0;
}

Device& context_of(void* context) {
    const std::span<Device> all = devices();
    auto* device = static_cast<Device*>(context);
    require(std::less_equal<>()(all.data(), device) && std::less<>()(device, all.data() + all.size()), Error::kInvalidContext);
    require(&all[static_cast<size_t>(device - all.data())] == device, Error::kInvalidContext);
    require(is_active(*device), Error::kContextDestroyed);
    return *device;
}

void enable(Device& peer, unsigned flags) {
    Device& device = current();
    require(flags == 0, Error::kInvalidValue);
    require(&peer != &device, Error::kInvalidDevice);
    require(!has(Quirk::kNoPeerAccess), Error::kPeerUnsupported);
    const std::lock_guard lock(device.mutex);
    require(!device.reaches(peer), Error::kPeerAlreadyEnabled);
    device.peers |= peer.bit();
}

void disable(const Device& peer) {
    Device& device = current();
    const std::lock_guard lock(device.mutex);
    require(device.reaches(peer), Error::kPeerNotEnabled);
    device.peers &= ~peer.bit();
}

int value_of(Attribute attribute, const Device& device) {
    switch (attribute) {
        case Attribute::kMaxThreadsPerBlock:
        case Attribute::kMaxBlockX:
        case Attribute::kMaxBlockY:
        case Attribute::kThreadsPerComputeUnit:
            return kMaxGroup;
        case Attribute::kMaxBlockZ:
            return 64;
        case Attribute::kMaxGridX:
            return INT32_MAX;
        case Attribute::kMaxGridY:
        case Attribute::kMaxGridZ:
            return 65535;
        case Attribute::kSharedBytesPerBlock:
            return kLocalBytes;
        case Attribute::kWarpSize:
            return has(Quirk::kWrongWarp) ? 4 * family().warp_size : family().warp_size;
        case Attribute::kClockKilohertz:
            return 1000000;
        case Attribute::kComputeUnits:
            return 2;
        case Attribute::kIntegrated:
        case Attribute::kPageableAccess:
        case Attribute::kPciDomain:
        case Attribute::kPciDevice:
            return 0;
        case Attribute::kMapsHostMemory:
        case Attribute::kConcurrentKernels:
        case Attribute::kUnifiedAddressing:
        case Attribute::kStreamPriorities:
        case Attribute::kRegisteredHostPointer:
            return 1;
        case Attribute::kHostRegister:
            return has(Quirk::kNoHostRegister) ? 0 : 1;
        case Attribute::kPciBus:
            return device.number + 1;
        case Attribute::kCopyEngines:
            return 2;
        case Attribute::kCapabilityMajor:
            return family().capability_major;
        case Attribute::kCapabilityMinor:
            return family().capability_minor;
        case Attribute::kManagedMemory:
        case Attribute::kConcurrentManaged:
            return family().managed && !has(Quirk::kNoManaged) ? 1 : 0;
        case Attribute::kArchitecture:
            return family().architecture;
    }
    fail(Error::kInvalidValue);
}

} // namespace

bool initialized() {
    return family().implicit_context || was_initialized.load(std::memory_order_relaxed);
}

Device& device_at(int ordinal) {
    require(ordinal >= 0 && static_cast<size_t>(ordinal) < devices().size(), Error::kInvalidDevice);
    return devices()[static_cast<size_t>(ordinal)];
}

std::vector<Device*> active_devices() {
    std::vector<Device*> active;
    for (Device& device : devices()) {
        if (is_active(device)) active.push_back(&device);
    }
    return active;
}

Device& current() {
    if (depth > 0 && stack[depth - 1] != nullptr) return *stack[depth - 1];
    require(family().implicit_context, Error::kNoContext);
    device_select(selected);
    return *stack[depth - 1];
}

void init(unsigned flags) {
    require(flags == 0, Error::kInvalidValue);
    require(!devices().empty(), Error::kNoDevice);
    was_initialized = true;
}

void driver_version(int* out_version) {
    out(out_version) = 12000;
}

void device_count(int* out_count) {
    out(out_count) = static_cast<int>(devices().size());
}

void device_get(int* out_device, int ordinal) {
    out(out_device) = device_at(ordinal).ordinal;
}

void device_name(char* name, int length, int device) {
    device_at(device);
    require(name != nullptr && length > 0, Error::kInvalidValue);
    std::snprintf(name, static_cast<size_t>(length), "%s", profile().name.c_str());
}

void device_total(size_t* out_bytes, int device) {
    device_at(device);
    out(out_bytes) = kMemoryBytes;
}

void device_attribute(int* out_value, int attribute, int device) {
    const Device& asked = device_at(device);
    out(out_value);
    const int shift = has(Quirk::kOtherAttributes) ? 1000 : 0;
    for (const AttributeNumber& each : family().attributes) {
        if (each.number + shift == attribute) {
            *out_value = value_of(each.attribute, asked);
            return;
        }
    }
    fail(Error::kInvalidValue);
}

void device_uuid(unsigned char* bytes, int device) {
    const Device& asked = device_at(device);
    require(bytes != nullptr, Error::kInvalidValue);
    std::memset(bytes, 0, 16);
    std::memcpy(bytes, "FAKE", 4);
    std::memcpy(bytes + 4, family().id, std::min<size_t>(std::strlen(family().id), 4));
    bytes[14] = static_cast<unsigned char>(asked.number >> 8);
    bytes[15] = static_cast<unsigned char>(asked.number);
}

void device_bus_id(char* text, int length, int device) {
    const Device& asked = device_at(device);
    require(text != nullptr && length > 12, Error::kInvalidValue);
    std::snprintf(text, static_cast<size_t>(length), "0000:%02x:00.0", (asked.number + 1) % 256);
}

// ---------------------------------------------------------------------------------------------- contexts

void context_retain(void** out_context, int device) {
    Device& retained = device_at(device);
    out(out_context) = nullptr;
    retain(retained);
    *out_context = &retained;
}

void context_release(int device) {
    Device& released = device_at(device);
    const std::lock_guard lock(released.mutex);
    require(released.retained > 0, Error::kInvalidContext);
    if (--released.retained == 0) destroy(released);
}

void context_reset(int device) {
    Device& reset = device_at(device);
    const std::lock_guard lock(reset.mutex);
    if (reset.retained == 0) return;
    destroy(reset);
    if (reset.card->lost()) check(reset.card->reset());
    reset.legacy = make_stream(reset, 0, 0);
}

void context_set(void* context) {
    if (context == nullptr) {
        if (depth > 0) stack[--depth] = nullptr;
        return;
    }
    Device& device = context_of(context);
    if (depth == 0) ++depth;
    stack[depth - 1] = &device;
}

void context_get(void** out_context) {
    out(out_context) = depth > 0 ? stack[depth - 1] : nullptr;
}

void context_push(void* context) {
    Device& device = context_of(context);
    require(depth < kMaxDepth, Error::kOutOfMemory);
    stack[depth++] = &device;
}

void context_pop(void** out_context) {
    require(depth > 0, Error::kInvalidContext);
    Device* popped = stack[--depth];
    stack[depth] = nullptr;
    if (out_context != nullptr) *out_context = popped;
}

void context_device(int* out_device) {
    out(out_device) = current().ordinal;
}

void context_synchronize() {
    context_synchronize_other(&current());
}

void context_synchronize_other(void* context) {
    const std::shared_ptr<mock::Card> card = context_of(context).card;
    if (card->synchronize(UINT64_MAX) == mock::WaitResult::kFailed) fail(error_of_loss());
}

void context_set_limit(int limit, size_t) {
    current();
    require(limit >= 0 && limit <= 6, Error::kInvalidValue);
}

void context_priorities(int* out_least, int* out_greatest) {
    current();
    if (out_least != nullptr) *out_least = 0;
    if (out_greatest != nullptr) *out_greatest = -1;
}

void device_select(int device) {
    Device& chosen = device_at(device);
    if (!is_active(chosen)) retain(chosen);
    selected = device;
    if (depth == 0) ++depth;
    stack[depth - 1] = &chosen;
}

void device_selected(int* out_device) {
    out(out_device) = selected;
}

// ---------------------------------------------------------------------------------------------- peers

void peer_can(int* out_can, int device, int peer) {
    device_at(device);
    device_at(peer);
    out(out_can) = device != peer && !has(Quirk::kNoPeerAccess);
}

void peer_enable(void* context, unsigned flags) {
    enable(context_of(context), flags);
}
void peer_disable(void* context) {
    disable(context_of(context));
}
void peer_enable_ordinal(int device, unsigned flags) {
    enable(device_at(device), flags);
}
void peer_disable_ordinal(int device) {
    disable(device_at(device));
}

} // namespace fakes
