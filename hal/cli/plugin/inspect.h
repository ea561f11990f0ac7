/* The child's two looks at a plugin. Both may crash or hang with it. */
#pragma once

#include <string>

namespace qiao::cli {

/* As its host: loads the library, calls qiao_plugin_query and the slots that list devices, reads the tables. The plugin is
 * given the manifest's text; `manifest` may be "". */
int inspect_plugin(const std::string& library, const std::string& manifest);

/* Through libqiao, as an application: the loader's verdict on the manifest, then the required slots of each device in the
 * order in which they are written, up to the first that fails. */
int try_plugin(const std::string& manifest, const std::string& id);

} // namespace qiao::cli
