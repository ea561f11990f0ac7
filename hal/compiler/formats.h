/* What this library can make of a source: one table, so that requests, keys, checks of tools and builds name no format. */
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frontend.h"

namespace qiao::compiler {

inline constexpr std::string_view kSourceFormat = "opencl-c", kOffsetFormat = "opencl-c+offset";

/* What a variant depends on besides the source: programs and libraries, which change it when they are replaced. */
struct Tool {
    std::string title; /* "pocl 3.1" */
    std::vector<std::string> files;
    std::string note; /* instead of files: that it is not there, which the variant can do without, or what is no file */
};

/* From the complete source at `path`. Runs in a thread of its own, with a directory of its own. */
using Builder = Outcome<std::vector<BuiltVariant>> (*)(const std::string& path, const Options& options,
                                                       const FrontEnd& front_end, const TemporaryDirectory& temporary,
                                                       Deadline deadline);

struct Format {
    std::string_view name;
    Outcome<std::vector<Tool>> (*tools)() = nullptr; /* or the first that is missing */
    Builder build = nullptr;                         /* null: it is the source, which compile.cpp completes */
};

/* All but the source itself, in the order of the variants in a package. */
std::span<const Format> all_formats();

/* Their names, ";" between. */
const char* format_names();

using FormatList = std::vector<const Format*>;

/* "host-elf;ptx" or "all": each once, in the order of the table. */
Outcome<FormatList> parse_formats(std::string_view text);
bool contains(const FormatList& list, std::string_view name);

/* Features that the makers of a format do not have, with their names for users. */
struct Lacking {
    qiao_features feature;
    const char* name;
};
/* The first kernel that needs one of them. `maker` ends the sentence: "which Vulkan variants do not have". */
std::optional<Failure> refuse_features(const FrontEnd& front_end, std::span<const Lacking> lacking, std::string_view maker,
                                       std::string remedy);

} // namespace qiao::compiler
