/* What a user gave for one argument of a kernel: "@a.npy", "zeros:f32[1024]", "2.5". The grammar is in hal/docs/cli.md.
 * Knows no kernels: whether it fits its argument is decided by arguments.h. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/array/array.h"

namespace qiao::cli {

enum class SpecKind : uint8_t { File, Zeros, Range, Constant, Random, Numbers, Bytes, Local, Null };

struct Spec {
    SpecKind kind = SpecKind::Null;
    std::string written;           /* as the user gave it, for messages */
    std::string path;              /* File; may contain {device} */
    Element element = Element::U8; /* of arrays that are made here */
    Shape shape;
    std::string first, second; /* start and step, low and high, or the constant */
    uint64_t seed = 0;
    std::vector<std::string> numbers; /* one, or as many as a vector has */
    std::vector<std::byte> bytes;
    uint64_t local_bytes = 0;
};

/* "name=SPEC", "2=SPEC" or "SPEC": `key` is the part before '=', "" if there is none. */
struct KeyedSpec {
    std::string key;
    std::string value;
};
KeyedSpec split_key(std::string_view argument);

/* Throws Failure; `what` names the argument. */
Spec parse_spec(const std::string& written, const std::string& what);

bool is_array_spec(const Spec& spec);

/* The path with {device} replaced: "mock:0" becomes "mock-0". */
std::string path_for_device(const std::string& path, const std::string& device);
bool depends_on_device(const std::string& path);

/* Reads or makes the array of an array spec. */
Array load_array(const Spec& spec, const std::string& device, const std::string& what);

} // namespace qiao::cli
