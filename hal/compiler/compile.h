/* One compilation from its request to its package; the C interface only translates. */
#pragma once

#include <string_view>

#include "failure.h"

namespace qiao::compiler {

struct Request {
    std::string_view source;
    std::string source_name;
    std::string options;
    std::string formats;
    std::string required; /* formats that not even best effort leaves out */
    const char* cache_directory = nullptr;
    uint64_t time_limit_ns = 0;
    bool use_cache = true;
    bool best_effort = false;
    bool this_processor = false; /* Options::this_processor */
};

struct Compiled {
    std::string package;
    std::string log;
    std::vector<std::string> included; /* files that the source is made of besides itself */
    bool from_cache = false;
};

Outcome<Compiled> compile(const Request& request);

/* One line per tool with its version; or the first that is missing. */
Outcome<std::string> check_tools(const std::string& formats);

} // namespace qiao::compiler
