/* The child's two looks at a plugin. Both may crash or hang with it. `tell` is the file of a Teller, -1 = stdout. */
#pragma once

#include <string>

namespace qiao::cli {

/* As its host: loads the library, calls qiao_plugin_query and the slots that list devices, reads the tables; opens each device
 * and synchronises it while it is idle. The plugin is given the manifest's text; `manifest` may be "". */
int inspect_plugin(const std::string& library, const std::string& manifest, int tell);

/* What an application does with one plugin, in this order of the guide, each step needing the ones before. */
struct TrialPlan {
    std::string manifest;
    std::string id;
    std::string package; /* of kernels in the plugin's format, to be loaded; "" = none */
    int tell = -1;
};
/* Through libqiao, as an application: the loader's verdict on the manifest, then the required slots of each device in the
 * order in which they are written, up to the first that fails. */
int try_plugin(const TrialPlan& plan);

} // namespace qiao::cli
