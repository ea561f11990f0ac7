// The table of services that a plugin is given.
#pragma once

#include <string>

#include "loader/loader.h"

namespace qiao::loader {

// What the services of one plugin need; lives as long as the plugin.
struct HostContext {
    Sinks sinks;
    std::string plugin_id, plugin_directory, manifest_text;
    qiao_host_api api{};
};

void fill_host_api(HostContext& context);

}  // namespace qiao::loader
