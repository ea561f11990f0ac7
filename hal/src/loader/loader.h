// From folders of manifests to loaded plugins, with a reason for every candidate that is not usable. Knows nothing of
// what a plugin's devices are used for.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "qiao/instance.h"
#include "qiao/plugin.h"

namespace qiao::loader {

// Where host services lead; all are set.
struct Sinks {
    void* context;  // of the log
    void (*log)(void* context, qiao_log_level level, const char* source, const char* text);
    void (*completed)(uint64_t queue_token, uint64_t value, qiao_status status);
    void (*device_lost)(uint64_t device_token, const char* reason);
};

struct Options {
    std::string plugin_path;  // replaces all other places; "" = QIAO_PLUGIN_PATH, then user, system, installation
    Sinks sinks{};
};

// A plugin after its handshake. Owns the host table; the destructor calls plugin_close and closes the library.
class LoadedPlugin {
public:
    virtual ~LoadedPlugin() = default;
    virtual void* plugin() const = 0;
    virtual const qiao_plugin_tables& tables() const = 0;
};

struct DeviceEntry {
    uint32_t plugin_index;
    qiao_plugin_device_info info;
};

struct Candidate {
    qiao_candidate_state state = QIAO_CANDIDATE_STATE_BAD_MANIFEST;
    std::string manifest, library, plugin, version, reason, remedy;
    std::unique_ptr<LoadedPlugin> loaded;  // usable or without devices
    std::vector<DeviceEntry> devices;
};

std::vector<Candidate> discover(const Options& options);

// Whether `text` is in a list of globs: "mock:*,opencl:0"; an entry with '!' before it takes out what earlier ones let in,
// and a list that begins with one lets in everything else.
bool list_match(const std::string& list, const std::string& text);

}  // namespace qiao::loader
