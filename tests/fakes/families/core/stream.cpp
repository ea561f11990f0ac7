#include "core/stream.h"

#include <cstring>

#include "core/handles.h"

namespace fakes {
namespace {

constexpr unsigned kNonBlocking = 1;   /* of a stream's flags */
constexpr unsigned kDisableTiming = 2; /* of an event's flags */
constexpr uintptr_t kLegacyHandle = 1, kThreadHandle = 2;

/* When what was recorded was over. */
struct Stamp {
    std::mutex mutex;
    std::condition_variable told;
    bool over = false, failed = false;
    uint64_t time_ns = 0;
};

struct Event {
    Device* device = nullptr;
    unsigned flags = 0;
    std::mutex mutex; /* guards what follows */
    std::shared_ptr<Stream> stream;
    uint64_t value = 0;
    std::shared_ptr<Stamp> stamp; /* null = never recorded */
};

Handles<Stream>& streams() {
    static auto& made = *new Handles<Stream>;
    return made;
}
Handles<Event>& events() {
    static auto& made = *new Handles<Event>;
    return made;
}

/* A function of the host's in a stream's order: a kernel that calls it. */
void call_host(void** arguments, mock::GroupContext*, uint64_t, uint64_t, uint64_t) {
    HostFunction function;
    void* data;
    std::memcpy(&function, arguments[0], sizeof function);
    std::memcpy(&data, arguments[1], sizeof data);
    function(data);
}

const mock::Kernel& host_call() {
    static const auto& kernel = *[] {
        mock::KernelDesc desc;
        desc.name = "host function";
        desc.function = call_host;
        desc.arguments = {{"function", mock::ArgumentKind::kValue, 0, 8, 8}, {"data", mock::ArgumentKind::kValue, 8, 8, 8}};
        desc.block_size = 16;
        desc.waits_for_host = true;
        return new mock::Kernel(std::move(desc));
    }();
    return kernel;
}

void submit_host_call(Stream& stream, HostFunction function, void* data) {
    std::byte block[16];
    std::memcpy(block, &function, sizeof function);
    std::memcpy(block + 8, &data, sizeof data);
    submit(stream, [&](mock::Queue& queue, uint64_t next) { return queue.launch(host_call(), {}, block, next); });
}

std::shared_ptr<Stream> stream_of(void* handle) {
    const auto number = reinterpret_cast<uintptr_t>(handle);
    if (handle == nullptr || number == kLegacyHandle || number == kThreadHandle) {
        Device& device = current();
        const std::lock_guard lock(device.mutex);
        require(device.legacy != nullptr, Error::kContextDestroyed);
        return device.legacy;
    }
    return streams().get(handle);
}

struct Recorded {
    std::shared_ptr<Stream> stream;
    uint64_t value;
    std::shared_ptr<Stamp> stamp;
};

Recorded recorded_of(Event& event) {
    const std::lock_guard lock(event.mutex);
    return {event.stream, event.value, event.stamp};
}

} // namespace

std::shared_ptr<Stream> make_stream(Device& device, unsigned flags, int priority) {
    auto stream = std::make_shared<Stream>();
    stream->device = &device;
    stream->card = device.card;
    stream->follows_legacy = (flags & kNonBlocking) == 0;
    stream->flags = flags;
    stream->priority = priority;
    mock::QueueOptions options;
    options.priority = priority < 0 ? 1 : 0;
    mock::Result<std::unique_ptr<mock::Queue>> queue = device.card->create_queue(options);
    check(queue.status());
    stream->queue = std::move(queue.value());
    return stream;
}

std::shared_ptr<Stream> stream_of_current(void* handle) {
    std::shared_ptr<Stream> stream = stream_of(handle);
    require(stream->device == &current(), Error::kInvalidContext);
    return stream;
}

void order_with_legacy(Stream& stream) {
    if (!stream.follows_legacy) return;
    const auto follow = [&stream](const Stream& other) {
        check(stream.queue->after(*other.queue, other.queue->submitted(), stream.submitted + 1));
        ++stream.submitted;
    };
    Stream* legacy = stream.device->legacy.get();
    if (&stream != legacy) {
        const uint64_t before = legacy->queue->submitted();
        if (before == stream.legacy_seen) return;
        follow(*legacy);
        stream.legacy_seen = before;
        return;
    }
    streams().for_each([&](const Stream& other) {
        if (other.device == stream.device && other.follows_legacy && other.queue->reached() < other.queue->submitted()) follow(other);
    });
}

void wait(Stream& stream, uint64_t value) {
    const bool failed = stream.queue->wait(value, UINT64_MAX) == mock::WaitResult::kFailed;
    require(!failed && !stream.card->lost(), error_of_loss());
}

void delay(Stream& stream) {
    submit_host_call(stream, [](void*) { mock::sleep_ns(5'000'000); }, nullptr);
}

void stream_create(void** out_stream, unsigned flags) {
    stream_create_with_priority(out_stream, flags, 0);
}

void stream_create_with_priority(void** out_stream, unsigned flags, int priority) {
    Device& device = current();
    out(out_stream) = nullptr;
    require((flags & ~kNonBlocking) == 0, Error::kInvalidValue);
    *out_stream = streams().add(make_stream(device, flags, priority));
}

void stream_destroy(void* handle) {
    current();
    const std::shared_ptr<Stream> stream = streams().take(handle);
    stream->queue->wait(stream->queue->submitted(), UINT64_MAX);
}

void stream_synchronize(void* handle) {
    const std::shared_ptr<Stream> stream = stream_of(handle);
    wait(*stream, stream->queue->submitted());
}

void stream_query(void* handle) {
    const std::shared_ptr<Stream> stream = stream_of(handle);
    require(!stream->queue->failed() && !stream->card->lost(), error_of_loss());
    require(stream->queue->reached() >= stream->queue->submitted(), Error::kNotReady);
}

void stream_wait_event(void* handle, void* event_handle, unsigned) {
    const std::shared_ptr<Stream> stream = stream_of(handle);
    const Recorded recorded = recorded_of(*events().get(event_handle));
    if (recorded.stamp == nullptr || recorded.stream == stream) return;
    submit(*stream, [&](mock::Queue& queue, uint64_t next) { return queue.after(*recorded.stream->queue, recorded.value, next); });
}

void stream_priority(void* handle, int* out_priority) {
    out(out_priority) = stream_of(handle)->priority;
}

void stream_flags(void* handle, unsigned* out_flags) {
    out(out_flags) = stream_of(handle)->flags;
}

void stream_host_function(void* handle, HostFunction function, void* data) {
    const std::shared_ptr<Stream> stream = stream_of(handle);
    require(function != nullptr, Error::kInvalidValue);
    submit_host_call(*stream, function, data);
}

void stream_callback(void* handle, StreamCallback callback, void* data, unsigned flags) {
    const std::shared_ptr<Stream> stream = stream_of(handle);
    require(callback != nullptr && flags == 0, Error::kInvalidValue);
    struct Call {
        StreamCallback callback;
        void *stream, *data;
    };
    auto call = std::make_unique<Call>(Call{callback, handle, data});
    submit_host_call(
        *stream,
        [](void* user) {
            const std::unique_ptr<Call> made(static_cast<Call*>(user));
            made->callback(made->stream, 0, made->data);
        },
        call.get());
    call.release();
}

// ---------------------------------------------------------------------------------------------- events

void event_create(void** out_event, unsigned flags) {
    Device& device = current();
    out(out_event) = nullptr;
    require(flags < 16, Error::kInvalidValue);
    auto event = std::make_shared<Event>();
    event->device = &device;
    event->flags = flags;
    *out_event = events().add(std::move(event));
}

void event_destroy(void* handle) {
    events().take(handle);
}

void event_record(void* event_handle, void* stream_handle) {
    const std::shared_ptr<Event> event = events().get(event_handle);
    const std::shared_ptr<Stream> stream = stream_of(stream_handle);
    require(stream->device == event->device, Error::kInvalidContext);
    auto stamp = std::make_shared<Stamp>();
    const uint64_t value = stream->queue->submitted();
    {
        const std::lock_guard lock(event->mutex);
        event->stream = stream;
        event->value = value;
        event->stamp = stamp;
    }
    if ((event->flags & kDisableTiming) != 0) return;
    stream->queue->notify(value, [stamp](const mock::Status& status) {
        const std::lock_guard lock(stamp->mutex);
        stamp->over = true;
        stamp->failed = !status.ok();
        stamp->time_ns = mock::Card::host_ns();
        stamp->told.notify_all();
    });
}

void event_query(void* handle) {
    const std::shared_ptr<Event> event = events().get(handle);
    const Recorded recorded = recorded_of(*event);
    if (recorded.stamp == nullptr) return;
    require(!recorded.stream->queue->failed() && !recorded.stream->card->lost(), error_of_loss());
    require(recorded.stream->queue->reached() >= recorded.value, Error::kNotReady);
    if ((event->flags & kDisableTiming) != 0) return;
    const std::lock_guard lock(recorded.stamp->mutex);
    require(recorded.stamp->over, Error::kNotReady);
}

void event_synchronize(void* handle) {
    const std::shared_ptr<Event> event = events().get(handle);
    const Recorded recorded = recorded_of(*event);
    if (recorded.stamp == nullptr) return;
    wait(*recorded.stream, recorded.value);
    if ((event->flags & kDisableTiming) != 0) return;
    std::unique_lock lock(recorded.stamp->mutex);
    recorded.stamp->told.wait(lock, [&] { return recorded.stamp->over; });
}

void event_elapsed(float* out_milliseconds, void* start_handle, void* end_handle) {
    out(out_milliseconds) = 0;
    uint64_t times[2];
    void* const handles[] = {start_handle, end_handle};
    for (int index = 0; index < 2; ++index) {
        const std::shared_ptr<Event> event = events().get(handles[index]);
        const Recorded recorded = recorded_of(*event);
        require(recorded.stamp != nullptr && (event->flags & kDisableTiming) == 0, Error::kInvalidHandle);
        const std::lock_guard lock(recorded.stamp->mutex);
        require(recorded.stamp->over, Error::kNotReady);
        times[index] = recorded.stamp->time_ns;
    }
    *out_milliseconds = static_cast<float>(static_cast<double>(static_cast<int64_t>(times[1] - times[0])) / 1e6);
}

void forget_streams_of(const Device& device) {
    streams().take_all([&](const Stream& stream) { return stream.device == &device; });
}
void forget_events_of(const Device& device) {
    events().take_all([&](const Event& event) { return event.device == &device; });
}

} // namespace fakes
