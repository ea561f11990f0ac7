/* What a package says of itself, as text and as JSON (schema qiao.package/1). */
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "package/package.h"

namespace qiao::cli {

std::string package_text(const package::Package& package);
nlohmann::ordered_json package_json(const package::Package& package);
/* "host-elf x86_64-v3". */
std::string variant_text(const package::Variant& variant);

} // namespace qiao::cli
