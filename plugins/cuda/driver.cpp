// See driver.h. The one file that knows how the shapes of functions differ.
#include "driver.h"

#include <stdarg.h>
#include <stdio.h>

#include <algorithm>

namespace qiao::cuda {
namespace {

using CopyByKind = Code (*)(Address to, Address from, size_t, int kind, void* stream);
using CopyByKindStreamFirst = Code (*)(Address to, Address from, size_t, void* stream, int kind);
using RowsByDescription = Code (*)(const RowsDescription*, void* stream);
using RowsByPitch = Code (*)(Address to, size_t to_pitch, Address from, size_t from_pitch, size_t width, size_t height, int kind, void* stream);
using PeerCopyByContext = Code (*)(Address to, void* to_context, Address from, void* from_context, size_t, void* stream);
using PeerCopyByDevice = Code (*)(Address to, int to_device, Address from, int from_device, size_t, void* stream);
using PeerEnableByContext = Code (*)(void* context, unsigned flags);
using PeerEnableByDevice = Code (*)(int device, unsigned flags);
using Fill8 = Code (*)(Address, unsigned char, size_t, void* stream);
using Fill8OfInt = Code (*)(Address, int, size_t, void* stream);
using ModuleLoad = Code (*)(void** module, const void* image);
using ModuleLoadSized = Code (*)(void** module, const void* image, size_t);
using TextReturned = const char* (*)(Code);
using TextOut = Code (*)(Code, const char**);

template <typename Function>
Function as(Generic function) {
    return reinterpret_cast<Function>(function);
}

Address address_of(const void* pointer) {
    return reinterpret_cast<uintptr_t>(pointer);
}

Way way_of(bool to_host, bool from_host) {
    return from_host ? Way::kToDevice : to_host ? Way::kToHost : Way::kOnDevice;
}

constexpr uint32_t kHostType = 1, kDeviceType = 2; // of memory, in a RowsDescription

} // namespace

std::string text(const char* format, ...) {
    char room[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(room, sizeof room, format, arguments);
    va_end(arguments);
    return room;
}

std::string Driver::start(void* library) {
    library_ = library;
    if (std::string reason = resolve(family_, library, look_up_symbol, &call_, &taken_); !reason.empty()) return reason;
    if (const Code code = call_.init(0); !ok(code)) {
        const bool empty = is(family_.results.no_device, code);
        return std::string(taken_[static_cast<size_t>(Slot::init)]) + (empty ? " says that there is no device: " : " failed: ") + name_of(code);
    }
    int version = 0;
    if (call_.driver_version != nullptr && ok(call_.driver_version(&version)) && version > 0) version_ = static_cast<unsigned>(version);
    return "";
}

// ---------------------------------------------------------------------------------------------- shapes

static Code copy_by_kind(const Driver& driver, Address to, Address from, size_t size, Way way, void* stream) {
    const Generic function = driver.call().copy_by_kind_async;
    const int kind = static_cast<int>(way);
    return driver.family().quirks.kind_before_stream ? as<CopyByKind>(function)(to, from, size, kind, stream)
                                                     : as<CopyByKindStreamFirst>(function)(to, from, size, stream, kind);
}

Code Driver::write_async(Address to, const void* from, size_t size, void* stream) const {
    if (call_.write_async != nullptr) return call_.write_async(to, from, size, stream);
    return copy_by_kind(*this, to, address_of(from), size, Way::kToDevice, stream);
}

Code Driver::read_async(void* to, Address from, size_t size, void* stream) const {
    if (call_.read_async != nullptr) return call_.read_async(to, from, size, stream);
    return copy_by_kind(*this, address_of(to), from, size, Way::kToHost, stream);
}

Code Driver::copy_async(Address to, Address from, size_t size, void* stream) const {
    if (call_.copy_async != nullptr) return call_.copy_async(to, from, size, stream);
    return copy_by_kind(*this, to, from, size, Way::kOnDevice, stream);
}

Code Driver::copy_rows_async(const Rows& rows, void* stream) const {
    const bool to_host = rows.target_host != nullptr, from_host = rows.source_host != nullptr;
    if (family_.quirks.rows_by_pitch) {
        const Address to = to_host ? address_of(rows.target_host) : rows.target, from = from_host ? address_of(rows.source_host) : rows.source;
        return as<RowsByPitch>(call_.copy_rows_async)(to, rows.target_pitch, from, rows.source_pitch, rows.width, rows.height,
                                                      static_cast<int>(way_of(to_host, from_host)), stream);
    }
    RowsDescription description = {};
    description.source_type = from_host ? kHostType : kDeviceType;
    description.source_host = rows.source_host;
    description.source_device = from_host ? 0 : rows.source;
    description.source_pitch = rows.source_pitch;
    description.target_type = to_host ? kHostType : kDeviceType;
    description.target_host = rows.target_host;
    description.target_device = to_host ? 0 : rows.target;
    description.target_pitch = rows.target_pitch;
    description.width = rows.width;
    description.height = rows.height;
    return as<RowsByDescription>(call_.copy_rows_async)(&description, stream);
}

Code Driver::peer_copy_async(Address to, const Context& to_context, Address from, const Context& from_context, size_t size, void* stream) const {
    if (family_.quirks.peer_by_device)
        return as<PeerCopyByDevice>(call_.peer_copy_async)(to, to_context.ordinal, from, from_context.ordinal, size, stream);
    return as<PeerCopyByContext>(call_.peer_copy_async)(to, to_context.handle, from, from_context.handle, size, stream);
}

Code Driver::peer_enable(const Context& other) const {
    if (call_.peer_enable == nullptr) return family_.results.success;
    const Code code = family_.quirks.peer_by_device ? as<PeerEnableByDevice>(call_.peer_enable)(other.ordinal, 0)
                                                    : as<PeerEnableByContext>(call_.peer_enable)(other.handle, 0);
    return is(family_.results.already, code) ? family_.results.success : code;
}

Code Driver::fill_async(Address to, uint32_t pattern, unsigned pattern_bytes, size_t count, void* stream) const {
    if (pattern_bytes == 4) return call_.fill32_async(to, pattern, count, stream);
    if (pattern_bytes == 2) return call_.fill16_async(to, static_cast<unsigned short>(pattern), count, stream);
    const auto byte = static_cast<unsigned char>(pattern);
    return family_.quirks.fill_value_is_int ? as<Fill8OfInt>(call_.fill8_async)(to, byte, count, stream) : as<Fill8>(call_.fill8_async)(to, byte, count, stream);
}

Code Driver::module_load(void** module, const void* image, size_t size) const {
    return family_.quirks.module_load_sized ? as<ModuleLoadSized>(call_.module_load)(module, image, size) : as<ModuleLoad>(call_.module_load)(module, image);
}

std::optional<int> Driver::attribute(DeviceHandle device, Attribute which) const {
    const std::optional<int> number = family_.attributes[static_cast<size_t>(which)];
    int value = 0;
    if (!number || !ok(call_.device_attribute(&value, *number, device))) return std::nullopt;
    return value;
}

std::optional<int> Driver::attribute(void* function, FunctionAttribute which) const {
    const std::optional<int> number = family_.function_attributes[static_cast<size_t>(which)];
    int value = 0;
    if (!number || call_.function_attribute == nullptr || !ok(call_.function_attribute(&value, *number, function))) return std::nullopt;
    return value;
}

// ---------------------------------------------------------------------------------------------- codes

bool Driver::is(const std::vector<Code>& codes, Code code) const {
    return std::find(codes.begin(), codes.end(), code) != codes.end();
}

qiao_status Driver::status_of(Code code) const {
    const Results& results = family_.results;
    if (ok(code)) return QIAO_OK;
    if (not_ready(code)) return QIAO_NOT_READY;
    if (is(results.device_lost, code)) return QIAO_ERROR_DEVICE_LOST;
    if (is(results.out_of_memory, code)) return QIAO_ERROR_OUT_OF_MEMORY;
    if (is(results.unsupported, code)) return QIAO_ERROR_UNSUPPORTED;
    if (is(results.not_found, code)) return QIAO_ERROR_NOT_FOUND;
    if (is(results.bad_image, code)) return QIAO_ERROR_BUILD;
    return QIAO_ERROR_PLUGIN;
}

static const char* words(const Driver& driver, Generic function, Code code) {
    if (function == nullptr) return nullptr;
    if (driver.family().quirks.error_text_returned) return as<TextReturned>(function)(code);
    const char* words = nullptr;
    return driver.ok(as<TextOut>(function)(code, &words)) ? words : nullptr;
}

std::string Driver::name_of(Code code) const {
    const char* name = words(*this, call_.error_name, code);
    const char* sentence = words(*this, call_.error_text, code);
    std::string all = name != nullptr && *name != '\0' ? name : "code";
    all += " (" + std::to_string(code) + ")";
    if (sentence != nullptr && *sentence != '\0' && (name == nullptr || std::string_view(sentence) != name)) all += ", " + std::string(sentence);
    return all;
}

qiao_status Driver::fail(Code code, std::string message, std::string remedy, std::string log) const {
    const std::string name = name_of(code);
    plugin::Failure failure;
    failure.status = status_of(code);
    failure.message = std::move(message) + ": " + name;
    failure.remedy = std::move(remedy);
    failure.vendor_code = code;
    failure.vendor_text = name;
    failure.log = std::move(log);
    return host_.fail(failure);
}

// ---------------------------------------------------------------------------------------------- registrations

namespace {

constexpr unsigned kRegisterFlags = 3; // for every context, and mapped

struct Registration {
    Generic library; // one of its functions stands for it
    void* pointer;
    size_t size_bytes;
    unsigned users;
};

// Of all instances in the process, since the libraries are the process's.
struct Registrations {
    std::mutex mutex;
    std::vector<Registration> list;
};

Registrations& registrations() {
    static auto* all = new Registrations; // outlives every thread
    return *all;
}

} // namespace

Code Driver::register_host(void* pointer, size_t size) const {
    Registrations& all = registrations();
    const std::lock_guard lock(all.mutex);
    const auto library = reinterpret_cast<Generic>(call_.host_register);
    for (Registration& registration : all.list) {
        if (registration.library != library || registration.pointer != pointer || registration.size_bytes != size) continue;
        ++registration.users;
        return family_.results.success;
    }
    all.list.reserve(all.list.size() + 1);
    const Code code = call_.host_register(pointer, size, kRegisterFlags);
    if (ok(code)) all.list.push_back({library, pointer, size, 1});
    return code;
}

void Driver::unregister_host(void* pointer) const {
    Registrations& all = registrations();
    const std::lock_guard lock(all.mutex);
    const auto library = reinterpret_cast<Generic>(call_.host_register);
    const auto found = std::find_if(all.list.begin(), all.list.end(), [&](const Registration& registration) {
        return registration.library == library && registration.pointer == pointer;
    });
    if (found == all.list.end() || --found->users != 0) return;
    call_.host_unregister(pointer);
    all.list.erase(found);
}

} // namespace qiao::cuda
