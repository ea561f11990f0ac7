// The table of formats. A new one is a line here, a file that builds it and a finder of its tools.
#include "formats.h"

#include <algorithm>
#include <optional>

#include "amdgcn.h"
#include "host_elf.h"
#include "ptx.h"
#include "spirv_opencl.h"
#include "spirv_vulkan.h"
#include "tools.h"

namespace qiao::compiler {
namespace {

using Tools = Outcome<std::vector<Tool>>;

/* A tool that has to be there; its title goes before its path. */
Tools one(std::string title, const Outcome<std::string>& found) {
    if (!found) return found.error();
    return std::vector<Tool>{{std::move(title), {*found}, ""}};
}

Tool spirv_val() {
    const std::string validator = find_spirv_val();
    if (validator.empty()) return {"spirv-val", {}, "none; modules are not checked (apt install spirv-tools)"};
    return {"spirv-val", {validator}, ""};
}

Tools no_tools() {
    return std::vector<Tool>{};
}

Tools spirv_opencl_tools() {
    auto tools = one("llvm-spirv", find_llvm_spirv());
    if (tools) tools->push_back(spirv_val());
    return tools;
}

Tools spirv_vulkan_tools() {
    const auto clspv = find_clspv();
    if (!clspv) return clspv.error();
    return std::vector<Tool>{{"clspv " + clspv->version, {clspv->library, clspv->program}, ""}, spirv_val()};
}

Tools host_elf_tools() {
    const auto pocl = find_pocl();
    if (!pocl) return pocl.error();
    return std::vector<Tool>{{"pocl " + pocl->version, {pocl->compiler, pocl->library}, ""},
                             {"processor", {}, host_cpu()}};
}

Tools ptx_tools() {
    return one("libclc", find_libclc());
}

Tools amdgcn_tools() {
    const auto found = find_rocm();
    if (!found) return found.error();
    return std::vector<Tool>{{"rocm-device-libs", {found->device_library}, ""}, {"lld", {found->linker}, ""}};
}

template <VulkanMemory kMemory>
Outcome<std::vector<BuiltVariant>> build_vulkan(const std::string& path, const Options& options, const FrontEnd& front_end,
                                                const TemporaryDirectory& temporary, Deadline deadline) {
    return build_spirv_vulkan(path, kMemory, options, front_end, temporary, deadline);
}

constexpr Format kFormats[] = {
    {kOffsetFormat, no_tools, nullptr},
    {"spirv-opencl", spirv_opencl_tools, build_spirv_opencl},
    {kVulkanFormat, spirv_vulkan_tools, build_vulkan<VulkanMemory::kAddresses>},
    {kVulkanOffsetFormat, spirv_vulkan_tools, build_vulkan<VulkanMemory::kBuffers>},
    {"host-elf", host_elf_tools, build_host_elf},
    {"ptx", ptx_tools, build_ptx},
    {"amdgcn", amdgcn_tools, build_amdgcn},
};

std::string names() {
    std::string text(kSourceFormat);
    for (const Format& format : kFormats)
        text += concat(&format == std::end(kFormats) - 1 ? " and " : ", ", format.name);
    return text;
}

} // namespace

std::span<const Format> all_formats() {
    return kFormats;
}

const char* format_names() {
    static const std::string text = [] {
        std::string names;
        for (const Format& format : kFormats)
            names += concat(names.empty() ? "" : ";", format.name);
        return names;
    }();
    return text.c_str();
}

bool contains(const FormatList& list, std::string_view name) {
    return std::any_of(list.begin(), list.end(), [name](const Format* format) { return format->name == name; });
}

Outcome<FormatList> parse_formats(std::string_view text) {
    bool wanted[std::size(kFormats)] = {};
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find(';', begin), text.size());
        const std::string_view word = text.substr(begin, end - begin);
        begin = end + 1;
        bool known = word.empty() || word == kSourceFormat;
        for (size_t i = 0; i < std::size(kFormats); ++i) {
            if (word != "all" && word != kFormats[i].name) continue;
            wanted[i] = known = true;
        }
        if (!known)
            return Failure{QIAO_ERROR_UNSUPPORTED, concat("the format '", word, "' cannot be made"),
                           concat("formats are ", names(), ", or all; add others with their vendor's compiler"), "", 0};
    }
    FormatList list;
    for (size_t i = 0; i < std::size(kFormats); ++i)
        if (wanted[i]) list.push_back(&kFormats[i]);
    return list;
}

std::optional<Failure> refuse_features(const FrontEnd& front_end, std::span<const Lacking> lacking, std::string_view maker,
                                       std::string remedy) {
    for (const package::Kernel& kernel : front_end.kernels) {
        for (const Lacking& each : lacking) {
            if ((kernel.features & each.feature) == 0) continue;
            return Failure{QIAO_ERROR_UNSUPPORTED,
                           concat("kernel '", kernel.name, "' needs ", each.name, ", which ", maker), std::move(remedy), "", 0};
        }
    }
    return std::nullopt;
}

} // namespace qiao::compiler
