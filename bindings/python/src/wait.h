/* Waits that leave the interpreter to others, and end at Ctrl-C. */
#pragma once

#include <optional>

#include "binding.h"

namespace qiao::python {

/* Seconds as Python gives them: None = for ever, negative = over already. */
using Timeout = std::optional<double>;

/* Blocks until the timeline has reached the value: false if the time was over first. Throws the error with which the work
 * failed, and KeyboardInterrupt or whatever a signal handler raises. The GIL is released meanwhile. */
bool wait_until(const Timeline& timeline, uint64_t value, Timeout timeout);
/* The same for all work of a device. */
bool wait_for_device(Device device, Timeout timeout);

} // namespace qiao::python
