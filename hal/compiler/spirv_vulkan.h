/* Vulkan variants: SPIR-V 1.5 modules for every Vulkan device, made by clspv. */
#pragma once

#include "frontend.h"

namespace qiao::compiler {

/* How kernels reach memory: by addresses, or by an offset in a buffer that is bound. */
enum class VulkanMemory { kAddresses, kBuffers };

inline constexpr std::string_view kVulkanFormat = "spirv-vulkan", kVulkanOffsetFormat = "spirv-vulkan+offset";

constexpr std::string_view format_of(VulkanMemory memory) {
    return memory == VulkanMemory::kAddresses ? kVulkanFormat : kVulkanOffsetFormat;
}

/* Builds the variant of the complete source at `path`, whose kernels `front_end` describes. Each kernel's metadata says what
 * the plugin has to know (hal/docs/packages.md, "spirv-vulkan"). */
Outcome<std::vector<BuiltVariant>> build_spirv_vulkan(const std::string& path, VulkanMemory memory, const Options& options,
                                                      const FrontEnd& front_end, const TemporaryDirectory& temporary,
                                                      Deadline deadline);

} // namespace qiao::compiler
