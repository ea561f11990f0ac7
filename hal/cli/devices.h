/* The library's objects as the commands use them: released by themselves, failures thrown with the thread's error record. */
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "qiao/qiao.h"

namespace qiao::cli {

template <typename T, qiao_status (*Release)(T*)>
struct Releaser {
    void operator()(T* object) const { Release(object); }
};
using Instance = std::unique_ptr<qiao_instance, Releaser<qiao_instance, qiao_instance_release>>;
using Memory = std::unique_ptr<qiao_memory, Releaser<qiao_memory, qiao_memory_release>>;
using Program = std::unique_ptr<qiao_program, Releaser<qiao_program, qiao_program_release>>;
using Queue = std::unique_ptr<qiao_queue, Releaser<qiao_queue, qiao_queue_release>>;

/* Throws Failure unless the status is QIAO_OK; `doing` begins the message: "allocating 4096 bytes". */
void check(qiao_status status, const std::string& doing);

Instance make_instance();

struct Device {
    qiao_device* handle = nullptr; /* the instance's */
    qiao_device_properties properties = QIAO_DEVICE_PROPERTIES_INIT;
    std::string id;
};

std::vector<Device> all_devices(qiao_instance* instance);

/* The ledger of plugins. */
std::vector<qiao_candidate> candidates_of(qiao_instance* instance);

/* Those that any selector matches, in the order of the selectors, each once. An id means that device, a plugin's id its
 * first device, a glob all that match. Throws Failure with kExitNoDevice, naming the devices there are. */
std::vector<Device> select_devices(qiao_instance* instance, const std::vector<std::string>& selectors);

} // namespace qiao::cli
