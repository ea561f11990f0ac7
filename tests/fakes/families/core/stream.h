/* Streams: queues of the model with the values that this library gives. Events: values of a stream, and when they were reached. */
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "core/device.h"

namespace fakes {

struct Stream {
    Device* device = nullptr;
    std::shared_ptr<mock::Card> card; /* outlives the context */
    bool follows_legacy = true;       /* and is followed by it */
    unsigned flags = 0;
    int priority = 0;
    std::mutex mutex; /* guards what follows: one thread at a time submits */
    std::unique_ptr<mock::Queue> queue;
    uint64_t submitted = 0;
    uint64_t legacy_seen = 0; /* of the legacy stream's values, those that it waits for */
};

std::shared_ptr<Stream> make_stream(Device& device, unsigned flags, int priority);
/* The stream of a handle, which must be of the thread's context; null is the legacy one. */
std::shared_ptr<Stream> stream_of_current(void* handle);
/* With the stream's mutex held. */
void order_with_legacy(Stream& stream);

/* Submits one operation; returns its value. */
template <class Submit>
uint64_t submit(Stream& stream, Submit&& operation, Error out_of_range = Error::kInvalidValue) {
    const std::lock_guard lock(stream.mutex);
    order_with_legacy(stream);
    check(operation(*stream.queue, stream.submitted + 1), out_of_range);
    return ++stream.submitted;
}
void wait(Stream& stream, uint64_t value);
/* What comes after it begins a while later. */
void delay(Stream& stream);

void stream_create(void** out_stream, unsigned flags);
void stream_create_with_priority(void** out_stream, unsigned flags, int priority);
void stream_destroy(void* stream);
void stream_synchronize(void* stream);
void stream_query(void* stream);
void stream_wait_event(void* stream, void* event, unsigned flags);
void stream_priority(void* stream, int* out_priority);
void stream_flags(void* stream, unsigned* out_flags);
using HostFunction = void (*)(void* data);
void stream_host_function(void* stream, HostFunction function, void* data);
using StreamCallback = void (*)(void* stream, int code, void* data);
void stream_callback(void* stream, StreamCallback callback, void* data, unsigned flags);

void event_create(void** out_event, unsigned flags);
void event_destroy(void* event);
void event_record(void* event, void* stream);
void event_query(void* event);
void event_synchronize(void* event);
void event_elapsed(float* out_milliseconds, void* start, void* end);

void forget_streams_of(const Device& device);
void forget_events_of(const Device& device);

} // namespace fakes
