/* Devices and their primary contexts, which stand for the mock cards; and which context a thread has. A context's handle is its
 * device's address. */
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "core/answer.h"
#include "mock/card.h"

namespace fakes {

struct Stream;

struct Device {
    int ordinal = 0;
    int number = 0; /* of the card among all of the machine's: ordinals count those that the process sees */
    std::atomic<int> retained = 0;    /* changed with the mutex held */
    std::mutex mutex;                 /* guards what follows, but for reading `card` while the context is alive */
    std::shared_ptr<mock::Card> card; /* made when the context is retained first */
    std::shared_ptr<Stream> legacy;   /* the stream whose handle is null, while the context is alive */
    std::atomic<uint64_t> peers = 0;  /* those that access was enabled to: a bit each of 64 */

    uint64_t bit() const { return uint64_t{1} << (ordinal % 64); }
    bool reaches(const Device& peer) const { return (peers.load(std::memory_order_relaxed) & peer.bit()) != 0; }
};

/* Throws kInvalidDevice. */
Device& device_at(int ordinal);
std::vector<Device*> active_devices();
/* Of this thread's context; kInvalidContext without one. */
Device& current();

void init(unsigned flags);
void driver_version(int* out_version);
void device_count(int* out_count);
void device_get(int* out_device, int ordinal);
void device_name(char* name, int length, int device);
void device_total(size_t* out_bytes, int device);
void device_attribute(int* out_value, int attribute, int device);
void device_uuid(unsigned char* bytes, int device);
void device_bus_id(char* text, int length, int device);

void context_retain(void** out_context, int device);
void context_release(int device);
void context_reset(int device);
void context_set(void* context);
void context_get(void** out_context);
void context_push(void* context);
void context_pop(void** out_context);
void context_device(int* out_device);
void context_synchronize();
void context_synchronize_other(void* context);
void context_set_limit(int limit, size_t value);
void context_priorities(int* out_least, int* out_greatest);

/* HIP's way: a thread selects a device, whose context appears by itself. */
void device_select(int device);
void device_selected(int* out_device);

void peer_can(int* out_can, int device, int peer);
void peer_enable(void* context, unsigned flags);
void peer_disable(void* context);
void peer_enable_ordinal(int device, unsigned flags);
void peer_disable_ordinal(int device);

} // namespace fakes
