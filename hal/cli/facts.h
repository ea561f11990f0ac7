/* Names and JSON of what the library's numbers mean: features, kinds, states, provenance. Shared by list, info and doctor. */
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/devices.h"

namespace qiao::cli {

std::vector<std::string> feature_names(qiao_features features); /* "fp64", "int64" */
/* Of a list of such names, ',' between; throws Failure (kExitUsage) that lists the names there are. */
qiao_features parse_features(const std::string& list);
std::vector<std::string> memory_kind_names(uint32_t kinds);     /* "device", "host", "shared" */
std::vector<std::string> share_type_names(uint32_t types);      /* "host-pointer", "opaque-fd" */
std::vector<std::string> split_list(const std::string& list, char separator);
std::string join(const std::vector<std::string>& parts, const char* separator);

const char* candidate_state_name(qiao_candidate_state state); /* "usable", "not-loadable" */
const char* provenance_name(qiao_provenance provenance);      /* "native" */
const char* memory_level_name(qiao_memory_level level);       /* "argument" */
const char* device_state_name(qiao_device_state state);       /* "ok" */

std::string pci_text(const qiao_device_properties& properties);  /* "0000:01:00.0"; "" = not on PCI */
std::string uuid_text(const uint8_t (&bytes)[16]);              /* "" = all zero, unknown */

/* What `list` says of a device, and `info` says more of. */
nlohmann::ordered_json device_json(const Device& device);

} // namespace qiao::cli
