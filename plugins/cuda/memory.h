// One allocation, however it was made.
#pragma once

#include "device.h"

namespace qiao::cuda {

struct Allocation {
    enum class Origin { kDevice, kHost, kManaged, kRegistered, kApplication };

    Address address = 0; // as the device sees it, aligned as was asked for
    Address base = 0;    // as the library gave it
    char* host = nullptr;
    uint64_t size_bytes = 0;
    Origin origin = Origin::kDevice;

    // Copies treat it as memory of the host's.
    bool is_host() const { return origin == Origin::kHost || origin == Origin::kRegistered; }
};

} // namespace qiao::cuda
