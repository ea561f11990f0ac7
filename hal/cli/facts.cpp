/* Names appear in JSON and are documented in hal/docs/cli.md: they are never changed, only added to. */
#include "cli/facts.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/failure.h"

namespace qiao::cli {
namespace {

struct Named {
    uint64_t bit;
    const char* name;
};

constexpr Named kFeatures[] = {{QIAO_FEATURE_FP64, "fp64"},           {QIAO_FEATURE_FP16, "fp16"},
                               {QIAO_FEATURE_INT64, "int64"},         {QIAO_FEATURE_INT64_ATOMICS, "int64-atomics"},
                               {QIAO_FEATURE_SUBGROUPS, "subgroups"}, {QIAO_FEATURE_PRINTF, "printf"},
                               {QIAO_FEATURE_ADDRESSES, "addresses"}};

constexpr Named kMemoryKinds[] = {{1u << QIAO_MEMORY_KIND_DEVICE, "device"},
                                  {1u << QIAO_MEMORY_KIND_HOST, "host"},
                                  {1u << QIAO_MEMORY_KIND_SHARED, "shared"}};

constexpr Named kShareTypes[] = {{1u << QIAO_SHARE_TYPE_HOST_POINTER, "host-pointer"},
                                 {1u << QIAO_SHARE_TYPE_HOST_FILE, "host-file"},
                                 {1u << QIAO_SHARE_TYPE_OPAQUE_FD, "opaque-fd"},
                                 {1u << QIAO_SHARE_TYPE_DMA_BUF, "dma-buf"}};

/* Bits without a name (of a newer library) are shown as numbers rather than dropped. */
template <size_t N>
std::vector<std::string> names_of(uint64_t bits, const Named (&table)[N]) {
    std::vector<std::string> names;
    for (const Named& named : table) {
        if ((bits & named.bit) != 0) names.emplace_back(named.name);
        bits &= ~named.bit;
    }
    for (uint64_t bit = 1; bits != 0; bit <<= 1) {
        if ((bits & bit) != 0) names.push_back("bit-" + std::to_string(__builtin_ctzll(bit)));
        bits &= ~bit;
    }
    return names;
}

std::vector<std::string> known_features() {
    std::vector<std::string> names;
    for (const Named& each : kFeatures)
        names.emplace_back(each.name);
    return names;
}

} // namespace

std::vector<std::string> feature_names(qiao_features features) {
    return names_of(features, kFeatures);
}

qiao_features parse_features(const std::string& list) {
    qiao_features features = 0;
    for (const std::string& name : split_list(list, ',')) {
        const auto known = std::find_if(std::begin(kFeatures), std::end(kFeatures), [&](const Named& each) { return name == each.name; });
        if (known == std::end(kFeatures))
            throw Failure(kExitUsage, text("'", name, "' is not a feature"), "features are " + join(known_features(), ", "));
        features |= known->bit;
    }
    return features;
}

std::vector<std::string> memory_kind_names(uint32_t kinds) {
    return names_of(kinds, kMemoryKinds);
}

std::vector<std::string> share_type_names(uint32_t types) {
    return names_of(types, kShareTypes);
}

std::vector<std::string> split_list(const std::string& list, char separator) {
    std::vector<std::string> parts;
    for (size_t start = 0; start < list.size();) {
        const size_t end = std::min(list.find(separator, start), list.size());
        if (end > start) parts.push_back(list.substr(start, end - start));
        start = end + 1;
    }
    return parts;
}

std::string join(const std::vector<std::string>& parts, const char* separator) {
    std::string result;
    for (const std::string& part : parts)
        result += (result.empty() ? "" : separator) + part;
    return result;
}

const char* candidate_state_name(qiao_candidate_state state) {
    switch (state) {
        case QIAO_CANDIDATE_STATE_USABLE:
            return "usable";
        case QIAO_CANDIDATE_STATE_NO_DEVICES:
            return "no-devices";
        case QIAO_CANDIDATE_STATE_DISABLED:
            return "disabled";
        case QIAO_CANDIDATE_STATE_BAD_MANIFEST:
            return "bad-manifest";
        case QIAO_CANDIDATE_STATE_NOT_LOADABLE:
            return "not-loadable";
        case QIAO_CANDIDATE_STATE_INCOMPATIBLE:
            return "incompatible";
        case QIAO_CANDIDATE_STATE_REFUSED:
            return "refused";
        case QIAO_CANDIDATE_STATE_FAILED:
            return "failed";
        default:
            return "unknown";
    }
}

const char* memory_level_name(qiao_memory_level level) {
    static constexpr const char* kNames[] = {"copy", "argument", "pointer", "coherent", "system"};
    return level < std::size(kNames) ? kNames[level] : "unknown";
}

const char* provenance_name(qiao_provenance provenance) {
    switch (provenance) {
        case QIAO_PROVENANCE_ABSENT:
            return "absent";
        case QIAO_PROVENANCE_NATIVE:
            return "native";
        case QIAO_PROVENANCE_EMULATED:
            return "emulated";
        default:
            return "unknown";
    }
}

const char* device_state_name(qiao_device_state state) {
    switch (state) {
        case QIAO_DEVICE_STATE_OK:
            return "ok";
        case QIAO_DEVICE_STATE_LOST:
            return "lost";
        case QIAO_DEVICE_STATE_REMOVED:
            return "removed";
        default:
            return "unknown";
    }
}

std::string pci_text(const qiao_device_properties& properties) {
    if (properties.pci_vendor_id == 0) return "";
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%04x:%02x:%02x.%x", properties.pci_domain, properties.pci_bus,
                  properties.pci_device, properties.pci_function);
    return buffer;
}

std::string uuid_text(const uint8_t (&bytes)[16]) {
    if (std::all_of(bytes, bytes + 16, [](uint8_t byte) { return byte == 0; })) return "";
    std::string result;
    for (int i = 0; i < 16; ++i) {
        char buffer[8];
        std::snprintf(buffer, sizeof buffer, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
        result += buffer;
    }
    return result;
}

nlohmann::ordered_json device_json(const Device& device) {
    const qiao_device_properties& properties = device.properties;
    return {{"id", properties.id},
            {"plugin", properties.plugin},
            {"name", properties.name},
            {"vendor", properties.vendor},
            {"driver", properties.driver},
            {"target", properties.target},
            {"simulated", (properties.flags & QIAO_DEVICE_SIMULATED) != 0},
            {"unified", (properties.flags & QIAO_DEVICE_UNIFIED) != 0},
            {"memory_bytes", properties.memory_bytes},
            {"compute_units", properties.compute_units}};
}

} // namespace qiao::cli
