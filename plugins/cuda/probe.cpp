// Trying out what a device can do when it is opened: a function that is there may answer "not implemented", or succeed and do nothing.
// Small copies on the immediate stream, compared byte by byte.
#include <string.h>

#include <functional>

#include "device.h"

namespace qiao::cuda {
namespace {

constexpr size_t kBytes = 1024;
constexpr uint64_t kLimitNs = 10'000'000'000;

// What a probe copies from and to. Left behind if the device does not answer: it may still write there.
struct Bytes {
    unsigned char out[kBytes];
    unsigned char back[kBytes] = {};
    unsigned char seed;

    explicit Bytes(unsigned char start) : seed(start) { fresh(); }
    void fresh() {
        seed = static_cast<unsigned char>(seed * 5 + 3);
        for (size_t i = 0; i < kBytes; ++i) out[i] = static_cast<unsigned char>(7 * i + seed);
        memset(back, 0, sizeof back);
    }
    bool equal() const { return memcmp(out, back, kBytes) == 0; }
};

class Probe {
  public:
    explicit Probe(Device& device) : device_(device), bytes_(std::make_unique<Bytes>(1)) {}
    ~Probe() {
        if (silent_) static_cast<void>(bytes_.release());
        if (first_ != 0 && !silent_) device_.driver->call().memory_free(first_);
        if (second_ != 0 && !silent_) device_.driver->call().memory_free(second_);
    }

    bool run(std::string* out_reason) {
        if (!allocate(&first_) || !allocate(&second_) || !there_and_back()) {
            *out_reason = reason_;
            return false;
        }
        Works& works = device_.works;
        const Driver& driver = *device_.driver;
        const qiao_plugin_device_info& info = device_.record->info;
        works.elapsed = driver.call().event_elapsed != nullptr && attempt("times between events", [&] { return elapsed(); });
        works.direct_copies = driver.has_direct_copies() && attempt("copies within the card", [&] { return direct(); });
        works.fill8 = driver.has_fill(1) && attempt("fills of bytes", [&] { return fill(1); });
        works.fill16 = driver.has_fill(2) && attempt("fills of two bytes", [&] { return fill(2); });
        works.fill32 = driver.has_fill(4) && attempt("fills of four bytes", [&] { return fill(4); });
        works.rows = driver.has_rows() && attempt("copies of rows", [&] { return rows(); });
        works.host_memory = (info.memory_kinds & 1u << QIAO_MEMORY_KIND_HOST) != 0 && attempt("host memory", [&] { return host_memory(); });
        works.managed_memory = (info.memory_kinds & 1u << QIAO_MEMORY_KIND_SHARED) != 0 && attempt("managed memory", [&] { return managed_memory(); });
        *out_reason = reason_;
        return true;
    }

  private:
    bool good(Code code) {
        code_ = code;
        return device_.driver->ok(code);
    }
    bool allocate(Address* out) {
        if (good(device_.driver->call().memory_allocate(out, kBytes))) return true;
        *out = 0;
        return say("device memory");
    }
    bool say(const char* what) {
        if (!reason_.empty()) reason_ += "; ";
        reason_ += std::string(what) + (device_.driver->ok(code_) ? " came out wrong" : ": " + device_.driver->name_of(code_));
        return false;
    }
    // `what` does not work: the core does without, and the log says why.
    bool attempt(const char* what, const std::function<bool()>& body) {
        if (silent_) return false;
        bytes_->fresh();
        code_ = device_.driver->family().results.success;
        return body() || say(what);
    }
    bool wait() {
        Code code;
        void* event = take_event(device_, &code);
        if (event == nullptr || !good(device_.driver->call().event_record(event, device_.immediate))) return false;
        uint32_t round = 0;
        const uint64_t deadline = device_.api->now_ns(device_.api->host) + kLimitNs;
        while (device_.driver->not_ready(code = device_.driver->call().event_query(event)))
            if (device_.api->pause(device_.api->host, &round, deadline) == QIAO_TIMEOUT) {
                silent_ = true;
                return false;
            }
        give_event(device_, event);
        return good(code);
    }
    bool write(Address to) { return good(device_.driver->write_async(to, bytes_->out, kBytes, device_.immediate)); }
    bool read(Address from) { return good(device_.driver->read_async(bytes_->back, from, kBytes, device_.immediate)) && wait() && bytes_->equal(); }

    bool there_and_back() { return (write(first_) && read(first_)) || say("a copy there and back"); }
    bool direct() { return write(first_) && good(device_.driver->copy_async(second_, first_, kBytes, device_.immediate)) && read(second_); }
    bool fill(unsigned pattern_bytes) {
        const uint32_t pattern = pattern_bytes == 1 ? 0xa5 : pattern_bytes == 2 ? 0xa5c3 : 0xa5c3e187;
        const size_t count = kBytes / 2 / pattern_bytes;
        if (!write(first_) || !wait() || !good(device_.driver->fill_async(first_ + kBytes / 4, pattern, pattern_bytes, count, device_.immediate))) return false;
        for (size_t i = 0; i < count; ++i) memcpy(bytes_->out + kBytes / 4 + i * pattern_bytes, &pattern, pattern_bytes);
        return read(first_);
    }
    bool rows() {
        constexpr size_t kWidth = 24, kHeight = 8, kPitch = 64, kTight = 32;
        if (!write(first_) || !wait()) return false;
        Rows copy = {};
        copy.source_host = bytes_->out;
        copy.target = first_;
        copy.width = kWidth, copy.height = kHeight, copy.source_pitch = kTight, copy.target_pitch = kPitch;
        if (!good(device_.driver->copy_rows_async(copy, device_.immediate))) return false;
        if (!good(device_.driver->read_async(bytes_->back, first_, kBytes, device_.immediate)) || !wait()) return false;
        for (size_t i = 0; i < kBytes; ++i) {
            const size_t row = i / kPitch, column = i % kPitch;
            const unsigned char wanted = row < kHeight && column < kWidth ? bytes_->out[row * kTight + column] : bytes_->out[i];
            if (bytes_->back[i] != wanted) return false;
        }
        return true;
    }
    bool host_memory() {
        const Symbols& call = device_.driver->call();
        void* pointer = nullptr;
        if (!good(call.host_allocate(&pointer, kBytes, device_.driver->family().host_memory_flags))) return false;
        Address address = 0;
        const bool works = good(call.host_address(&address, pointer, 0)) && address != 0;
        call.host_free(pointer);
        return works;
    }
    bool managed_memory() {
        Address address = 0;
        if (!good(device_.driver->call().managed_allocate(&address, kBytes, kManagedForEverybody))) return false;
        memcpy(reinterpret_cast<void*>(static_cast<uintptr_t>(address)), bytes_->out, kBytes);
        const bool works = read(address);
        device_.driver->call().memory_free(address);
        return works;
    }
    bool elapsed() {
        const Symbols& call = device_.driver->call();
        void* start = nullptr;
        void* end = nullptr;
        float milliseconds = -1;
        const bool works = good(call.event_create(&start, 0)) && good(call.event_create(&end, 0)) && good(call.event_record(start, device_.immediate)) &&
                           write(first_) && good(call.event_record(end, device_.immediate)) && wait() &&
                           good(call.event_elapsed(&milliseconds, start, end)) && milliseconds >= 0;
        if (silent_) return false;
        if (end != nullptr) call.event_destroy(end);
        if (start == nullptr) return works;
        if (works)
            device_.clock = {start, 0};
        else
            call.event_destroy(start);
        return works;
    }

    Device& device_;
    std::unique_ptr<Bytes> bytes_;
    Address first_ = 0, second_ = 0;
    Code code_ = 0;
    bool silent_ = false; // the device did not answer in time
    std::string reason_;
};

} // namespace

bool try_out(Device& device, std::string* out_reason) {
    // Until times between events are known to work, spare events come without: none of them may stay for those who measure.
    Probe probe(device);
    const bool works = probe.run(out_reason);
    for (void* event : device.spare_events) device.driver->call().event_destroy(event);
    device.spare_events.clear();
    return works;
}

bool peer_copies_work(Device& from, Device& to) {
    const Driver& driver = *from.driver;
    auto bytes = std::make_unique<Bytes>(9);
    Address source = 0, target = 0;
    bool works;
    {
        const Current current(to);
        int possible = 0;
        if (driver.call().peer_possible != nullptr && driver.ok(driver.call().peer_possible(&possible, to.record->handle, from.record->handle)) && possible != 0)
            driver.peer_enable(from.context);
        works = driver.ok(driver.call().memory_allocate(&target, kBytes));
    }
    {
        const Current current(from);
        works = works && driver.ok(driver.call().memory_allocate(&source, kBytes)) &&
                driver.ok(driver.write_async(source, bytes->out, kBytes, from.immediate)) && finish(from, from.immediate, "a peer copy") == QIAO_OK &&
                driver.ok(driver.peer_copy_async(target, to.context, source, from.context, kBytes, from.immediate)) &&
                finish(from, from.immediate, "a peer copy") == QIAO_OK;
        if (source != 0) driver.call().memory_free(source);
    }
    const Current current(to);
    works = works && driver.ok(driver.read_async(bytes->back, target, kBytes, to.immediate)) && finish(to, to.immediate, "a peer copy") == QIAO_OK && bytes->equal();
    if (target != 0) driver.call().memory_free(target);
    return works;
}

} // namespace qiao::cuda
