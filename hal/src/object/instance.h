// An instance's state: where messages go, the ledger, the devices. Plugins are kept alive through an opaque pointer: only
// api/instance.cpp knows the loader.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "object/handle.h"
#include "object/log.h"

struct qiao_device;

namespace qiao {

class MemoryFiles;

struct LedgerEntry {
    qiao_candidate_state state;
    uint32_t device_count;
    std::string manifest, library, plugin, version, reason, remedy, probe;
};

struct Instance {
    Log log;
    std::vector<LedgerEntry> ledger;
    std::vector<qiao_device*> devices;     // the visible ones
    std::shared_ptr<void> loaded_plugins;  // outlive the devices
    std::shared_ptr<MemoryFiles> files;    // host memory that is shared with others
};

}  // namespace qiao

struct alignas(64) qiao_instance {
    static constexpr uint64_t kTag = qiao::kTagInstance;
    qiao::Header header;
    union {
        qiao::Instance body;
    };
    qiao_instance() {}
    ~qiao_instance() {}
};
