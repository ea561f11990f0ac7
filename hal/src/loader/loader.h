// From folders of manifests to loaded plugins: search, manifest, library, handshake, and for every candidate the reason
// why it is or is not usable. Knows the plugin ABI and the operating system; what devices are used for it leaves to the
// core. Nothing here throws for what a manifest or a plugin does, and nothing sets the thread's last error.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "qiao/instance.h"
#include "qiao/plugin.h"

namespace qiao::loader {

// Where host services lead. All functions are set; any thread may call them at any time until the plugin is gone.
struct Sinks {
    void* context; // of the instance; outlives its plugins
    void (*log)(void* context, qiao_log_level level, const char* source, const char* text);
    void (*completed)(uint64_t queue_token, uint64_t value, qiao_status status);
    void (*device_lost)(uint64_t device_token, const char* reason);
    void (*output)(void* context, uint64_t device_token, std::string_view kernel, std::string_view text);
};

struct Options {
    std::string plugin_path; // see qiao_instance_desc
    Sinks sinks;
    std::string probe_program = {}; // "" = qiao-probe where it is installed with libqiao
};

// A plugin after a successful handshake. Owns the host table, the manifest's text and the library; the destructor calls
// plugin_close. Every device must be closed before.
class LoadedPlugin {
  public:
    virtual ~LoadedPlugin() = default;
    virtual const std::string& id() const = 0;
    virtual const std::string& version() const = 0;
    virtual const std::string& build() const = 0;
    virtual uint64_t roles() const = 0;
    virtual void* plugin() const = 0;                     // first argument of device_count and device_query
    virtual const qiao_plugin_tables& tables() const = 0; // full length: what the plugin's own did not cover is null
};

// A device as queried. `info` is full length, its texts are terminated; `formats` is never null, `tables` neither (the
// plugin's where the device has none of its own), and roles are the plugin's where the device named none.
struct DeviceEntry {
    uint32_t plugin_index; // what device_open takes; not the position in the list, since a failed query leaves a gap
    qiao_plugin_device_info info;
};

struct Candidate {
    qiao_candidate_state state = QIAO_CANDIDATE_STATE_BAD_MANIFEST;
    std::string manifest, library, plugin, version;
    std::string reason, remedy;           // of a usable one: about devices that could not be queried
    std::string probe;                    // "known", "child", "cached", "in process"; "" = its library was never opened
    bool harmful = false;                 // it broke a rule in a way that may have harmed its process
    std::unique_ptr<LoadedPlugin> loaded; // of usable ones and of those without devices
    std::vector<DeviceEntry> devices;
};

// In search order, every manifest found.
std::vector<Candidate> discover(const Options& options);

// Whether the whole text matches: '*' any characters, '?' one, nothing else is special.
bool glob_match(std::string_view pattern, std::string_view text);

// Globs with ',' between, as in QIAO_PLUGINS and QIAO_VISIBLE_DEVICES: "mock:*,!mock:1". The last entry that matches
// decides; '!' or '-' before an entry excludes. A list that only excludes lets in all others; an empty list lets in all.
bool list_match(std::string_view list, std::string_view text);

} // namespace qiao::loader
