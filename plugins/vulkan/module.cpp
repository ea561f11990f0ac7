// The capabilities a module declares, looked up in one table of what they need of a device. See module.h.
#include "module.h"

#include <stdlib.h>

namespace qiao::vulkan {
namespace {

constexpr uint32_t kMagic = 0x07230203u, kHeaderWords = 5, kCapability = 17;

struct Capability {
    uint32_t number;
    const char* name;
    bool (*has)(const FeatureChain& features);
};

bool always(const FeatureChain&) {
    return true;
}

// SPIR-V specification 3.31, and the Vulkan features that allow each.
constexpr Capability kCapabilities[] = {
    {1, "Shader", always},
    {9, "Float16", [](const FeatureChain& f) { return f.v12.shaderFloat16 == VK_TRUE; }},
    {10, "Float64", [](const FeatureChain& f) { return f.core.features.shaderFloat64 == VK_TRUE; }},
    {11, "Int64", [](const FeatureChain& f) { return f.core.features.shaderInt64 == VK_TRUE; }},
    {12, "Int64Atomics", [](const FeatureChain& f) { return f.v12.shaderBufferInt64Atomics == VK_TRUE; }},
    {22, "Int16", [](const FeatureChain& f) { return f.core.features.shaderInt16 == VK_TRUE; }},
    {39, "Int8", [](const FeatureChain& f) { return f.v12.shaderInt8 == VK_TRUE; }},
    {4433, "StorageBuffer16BitAccess", [](const FeatureChain& f) { return f.v11.storageBuffer16BitAccess == VK_TRUE; }},
    {4434, "UniformAndStorageBuffer16BitAccess",
     [](const FeatureChain& f) { return f.v11.uniformAndStorageBuffer16BitAccess == VK_TRUE; }},
    {4435, "StoragePushConstant16", [](const FeatureChain& f) { return f.v11.storagePushConstant16 == VK_TRUE; }},
    {4441, "VariablePointersStorageBuffer",
     [](const FeatureChain& f) { return f.v11.variablePointersStorageBuffer == VK_TRUE; }},
    {4442, "VariablePointers", [](const FeatureChain& f) { return f.v11.variablePointers == VK_TRUE; }},
    {4448, "StorageBuffer8BitAccess", [](const FeatureChain& f) { return f.v12.storageBuffer8BitAccess == VK_TRUE; }},
    {4449, "UniformAndStorageBuffer8BitAccess",
     [](const FeatureChain& f) { return f.v12.uniformAndStorageBuffer8BitAccess == VK_TRUE; }},
    {4450, "StoragePushConstant8", [](const FeatureChain& f) { return f.v12.storagePushConstant8 == VK_TRUE; }},
    {4466, "RoundingModeRTE", always}, // of a float control the driver lists; pipelines are refused where it does not
    {5347, "PhysicalStorageBufferAddresses", [](const FeatureChain& f) { return f.v12.bufferDeviceAddress == VK_TRUE; }},
};

const Capability* find(uint32_t number) {
    for (const Capability& capability : kCapabilities)
        if (capability.number == number) return &capability;
    return nullptr;
}

// A number, or "-" for none; false if the text has neither, or no `end` behind it.
bool take(const char*& at, char end, int64_t* out) {
    if (*at == '-') {
        *out = -1;
        ++at;
    } else {
        char* behind = nullptr;
        if (*at < '0' || *at > '9') return false;
        const unsigned long value = strtoul(at, &behind, 10);
        if (value > UINT32_MAX) return false;
        *out = static_cast<int64_t>(value);
        at = behind;
    }
    return end == '\0' || *at++ == end;
}

bool take_three(const char*& at, int64_t (&out)[3]) {
    return take(at, ',', &out[0]) && take(at, ',', &out[1]) && take(at, ';', &out[2]);
}

bool take_word(const char*& at, const char* word) {
    const size_t length = std::strlen(word);
    if (std::strncmp(at, word, length) != 0) return false;
    at += length;
    return true;
}

// "3:4,-,4:8" up to the end or a semicolon.
bool take_locals(const char*& at, std::vector<Metadata::Local>& out) {
    while (*at != '\0' && *at != ';') {
        if (!out.empty() && *at++ != ',') return false;
        int64_t constant = 0, element_bytes = 1;
        if (!take(at, '\0', &constant)) return false;
        if (constant >= 0 && (*at++ != ':' || !take(at, '\0', &element_bytes) || element_bytes < 1)) return false;
        out.push_back({constant, static_cast<uint32_t>(element_bytes)});
    }
    return true;
}

bool take_buffers(const char*& at, std::vector<int64_t>& out) {
    while (*at != '\0' && *at != ';') {
        if (!out.empty() && *at++ != ',') return false;
        if (!take(at, '\0', &out.emplace_back())) return false;
    }
    return true;
}

// "push:0:1048576;calls=" or "binding:2:1048576;calls=", and behind it the calls up to the end.
bool take_output(const char*& at, Metadata& out) {
    int64_t& place = take_word(at, "push:") ? out.output_push : out.output_binding;
    if (&place == &out.output_binding && !take_word(at, "binding:")) return false;
    if (!take(at, ':', &place) || place < 0 || !take(at, ';', &out.output_bytes) || out.output_bytes < 8) return false;
    if (!take_word(at, "calls=") || !parse_printf_calls(at, &out.calls)) return false;
    at += std::strlen(at);
    return true;
}

bool parse(const char*& at, Metadata& out) {
    out = {};
    if (take_word(at, "arguments=uniform:")) {
        if (!take(at, ';', &out.uniform) || out.uniform < 0) return false;
    } else if (!take_word(at, "arguments=push")) {
        return false;
    } else if (take_word(at, ":")) {
        if (!take(at, ';', &out.push) || out.push < 0) return false;
    } else if (!take_word(at, ";")) {
        return false;
    }
    return take_word(at, "group=") && take_three(at, out.group) && take_word(at, "offset=") && take_three(at, out.offset) &&
           take_word(at, "dimensions=") && take(at, ';', &out.dimensions) && take_word(at, "locals=") &&
           take_locals(at, out.locals) && (!take_word(at, ";buffers=") || take_buffers(at, out.buffers)) &&
           (!take_word(at, ";output=") || take_output(at, out)) && *at == '\0';
}

} // namespace

std::string refuse_module(const DeviceRecord& record, const void* data, size_t size_bytes) {
    std::vector<uint32_t> words(size_bytes / 4);
    std::memcpy(words.data(), data, 4 * words.size());
    if (size_bytes % 4 != 0 || words.size() < kHeaderWords || words[0] != kMagic)
        return text("its ", size_bytes, " bytes are no SPIR-V module");
    if (words[1] > 0x00010500) return text("it is SPIR-V ", words[1] >> 16, ".", words[1] >> 8 & 0xff, ", Vulkan 1.2 takes 1.5");
    // Capabilities come first.
    for (size_t at = kHeaderWords; at < words.size() && (words[at] & 0xffff) == kCapability; at += words[at] >> 16) {
        if (words[at] >> 16 != 2 || at + 2 > words.size()) return "its capabilities cannot be read";
        const Capability* capability = find(words[at + 1]);
        if (capability == nullptr) return text("it needs capability ", words[at + 1], ", which this plugin does not know");
        if (!capability->has(record.features)) return text("it needs the capability ", capability->name, ", which the device lacks");
    }
    return "";
}

std::string parse_metadata(const char* metadata, Metadata* out) {
    const char* at = metadata;
    if (parse(at, *out)) return "";
    return text("'", metadata, "' is not understood from '", at, "' on");
}

} // namespace qiao::vulkan
