// The handshake: one call, then everything the plugin said is checked before any of it is used.
#pragma once

#include "loader/library.h"
#include "loader/loader.h"
#include "loader/manifest.h"

namespace qiao::loader {

// Loads the library and fills the candidate: its state, and if usable its devices.
void load_plugin(const Manifest& manifest, const Sinks& sinks, Candidate& candidate);

}  // namespace qiao::loader
