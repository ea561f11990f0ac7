// A family of CUDA-driver-shaped libraries, as its data file describes it: what functions and numbers are called there, what
// differs from the others, and how sure each fact is. Constant once it was read.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "slots.h"

namespace qiao::cuda {

// What differs from the most common shape.
#define QIAO_CUDA_QUIRKS(X)                                                                            \
    X(error_text_returned)   /* error_name and error_text return the text */                           \
    X(no_primary_context)    /* a thread sets a device, not a context */                               \
    X(no_v1_fallback)        /* X is an older function than X_v2, with other types: never in its place */ \
    X(module_load_sized)     /* module_load takes the image's size */                                  \
    X(launch_by_config)      /* launch takes a struct of sizes and the stream */                       \
    X(peer_by_device)        /* peer functions take ordinals, not contexts */                          \
    X(rows_by_pitch)         /* copy_rows_async takes pitches, not a struct */                         \
    X(kind_before_stream)    /* copy_by_kind_async(to, from, size, kind, stream), else stream, kind */ \
    X(fill_value_is_int)     /* fill8_async takes an int */                                            \
    X(no_direct_copy)        /* copies within a card do not work, though there is a function */        \
    X(no_host_register)      /* host memory cannot be registered, though there is a function */

struct Quirks {
#define QIAO_CUDA_QUIRK(name) bool name = false;
    QIAO_CUDA_QUIRKS(QIAO_CUDA_QUIRK)
#undef QIAO_CUDA_QUIRK
};

// Device attributes, by our names; what a family has no number for is unknown.
#define QIAO_CUDA_ATTRIBUTES(X)                                                                                             \
    X(max_group_size) X(max_group_x) X(max_group_y) X(max_group_z) X(max_group_count_x) X(max_group_count_y)                \
    X(max_group_count_z) X(local_memory_bytes) X(subgroup_width) X(compute_units) X(clock_khz) X(integrated)                \
    X(can_map_host_memory) X(unified_addressing) X(managed_memory) X(concurrent_managed_access) X(host_register)            \
    X(stream_priorities) X(capability_major) X(capability_minor) X(architecture) X(pci_domain) X(pci_bus) X(pci_device)

enum class Attribute : uint32_t {
#define QIAO_CUDA_ENUMERATOR(name) name,
    QIAO_CUDA_ATTRIBUTES(QIAO_CUDA_ENUMERATOR)
#undef QIAO_CUDA_ENUMERATOR
        count
};

#define QIAO_CUDA_FUNCTION_ATTRIBUTES(X) X(max_group_size) X(static_local_bytes) X(private_bytes)

enum class FunctionAttribute : uint32_t {
#define QIAO_CUDA_ENUMERATOR(name) name,
    QIAO_CUDA_FUNCTION_ATTRIBUTES(QIAO_CUDA_ENUMERATOR)
#undef QIAO_CUDA_ENUMERATOR
        count
};

template <typename Key>
using Numbers = std::array<std::optional<int>, static_cast<size_t>(Key::count)>;

// What result codes mean; one that stands nowhere is a failure of the library.
struct Results {
    Code success = 0;
    Code not_ready = 0;
    std::vector<Code> out_of_memory, unsupported, no_device, bad_image, not_found, device_lost, already;
};

// Which targets of a format fit a device.
enum class TargetRule {
    kAny,       // the format does not depend on it, or the device does not say
    kExact,
    kSameMajor, // the device's major number, and a minor number that is not above it
    kUpTo,      // every number that is not above the device's
    kPreferred, // equal is better, others may do
};

// A format of programs and how it begins.
struct Format {
    std::string name;
    std::vector<std::string> magic; // one of these stands at its beginning
    std::vector<std::string> text;  // or: it is text in which all of these stand
    std::optional<uint32_t> elf_machine; // where it is an ELF file
    TargetRule target = TargetRule::kAny;
};

// Cards by their PCI identity and kernel driver. The manifest has the same.
struct Hardware {
    std::string vendor;
    uint32_t pci_vendor = 0;
    std::vector<std::string> drivers;
};

struct Status {
    std::string state; // "modelled", "names-verified", "ran"
    std::string date;
    std::string evidence;
};

enum class ArgumentForm { kBuffer, kPointers };

struct Family {
    std::string id, name, prefix;
    std::string vendor; // where `hardware` does not tell
    Status status;
    std::vector<Hardware> hardware;
    std::vector<std::string> libraries; // tried in this order
    std::vector<std::string> visible_in_process, visible_in_container;
    std::vector<std::string> telemetry;
    std::vector<Format> formats; // best first
    std::string target_prefix;   // "sm_"; "" = devices do not say
    uint64_t features = 0;       // qiao_features
    Quirks quirks;
    ArgumentForm arguments = ArgumentForm::kPointers;
    uintptr_t argument_end = 0; // ends the list of a launch by buffer
    uint32_t allocation_alignment = 256;
    uint32_t host_memory_flags = 0;
    std::optional<int> error_log_option, error_log_bytes_option;
    std::array<std::vector<std::string>, kSlotCount> symbols; // whole names, tried in this order; empty = has none
    Numbers<Attribute> attributes = {};
    Numbers<FunctionAttribute> function_attributes = {};
    Results results;
    std::map<std::string, std::string> grades; // "slots.init" -> "I"; what is not here is "V"
};

} // namespace qiao::cuda
