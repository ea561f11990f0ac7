/* The two things this process does; both print JSON on stdout. */
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace qiao::reflect {

/* What a program's kernels are: names, arguments with sizes and alignments, groups, local memory, features. Layout and access
 * come from 64-bit optimised bitcode; features from 32-bit unoptimised bitcode, where an i64 is the source's own and not a
 * size_t or an optimiser's idea. `path32` empty: 64-bit integers are assumed to be used. */
nlohmann::json describe_kernels(const std::string& path64, const std::string& path32);

/* One kernel's work-group function, as PoCL left it. */
struct WorkGroupFunction {
    std::string kernel;
    std::string path;
};

/* Merges work-group functions into one module for any CPU at `out`: only the entries stay visible, CPU attributes go.
 * Describes the arguments, the automatic local buffers, the stack needed, and for which CPU the bitcode was made. */
nlohmann::json merge_kernels(const std::string& out, const std::string& program,
                             const std::vector<WorkGroupFunction>& functions);

/* Kind, size and alignment of one parameter of a kernel; `type` and `qualifiers` are the source's, for people. */
nlohmann::json describe_argument(struct OpaqueContext* context, struct OpaqueLayout* layout, struct OpaqueValue* kernel,
                                 unsigned index, const std::string& type, const std::string& qualifiers);

/* Bits of qiao_features that the code reachable from `kernel` needs. */
unsigned long long features_of(struct OpaqueValue* kernel, bool judge_int64);

} // namespace qiao::reflect
