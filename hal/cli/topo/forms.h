/* The forms that `qiao topo` gives a topology. Names are the system's and the plugins': each form escapes them in its own way. */
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/topo/model.h"

namespace qiao::cli {

/* Cards and ports against each other with their nearest CPUs, and a legend; of many cards one for each way they lie to each other. */
std::string topo_matrix(const TopoModel& model);
/* What contains what, and by which links it hangs; equal branches are folded. */
std::string topo_tree(const TopoModel& model);
std::string topo_providers(const TopoModel& model);
/* Schema qiao.topo/1. */
nlohmann::ordered_json topo_json(const TopoModel& model);
std::string topo_dot(const TopoModel& model);
std::string topo_svg(const TopoModel& model);

} // namespace qiao::cli
