/* The extension "queued.control.1" of the queued plugin: what a test does to a card from outside. An application's header
 * of a vendor's extension looks like this. */
#pragma once

#include <cstddef>
#include <cstdint>

#define QUEUED_CONTROL "queued.control.1"

struct queued_control {
    size_t struct_size;
    // The card is lost, and the core is told.
    void (*lose)(void* device, const char* reason);
    // The next call of the slot of that name stays inside until `unjam`.
    void (*jam)(void* device, const char* slot);
    void (*unjam)(void* device);
    // Whether a call is inside the jammed slot.
    uint32_t (*is_stuck)(void* device);
    // The card is pulled out: lost for good.
    void (*remove)(void* device);
    // Whether the core calls the slot of that name: launches and marks are those of a queue, where the device has queues.
    uint32_t (*has)(void* device, const char* slot);
    // How many allocations, programs and queues there are.
    uint32_t (*live)(void* device);
    // From now on kernels `hold` end at once, as if their word had been written.
    void (*let_go)(void* device);
};
