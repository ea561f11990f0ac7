// Opens the Vulkan loader at run time and looks functions up through it. Nothing here is called by the hot path.
#include "symbols.h"

#include <dlfcn.h>
#include <stdlib.h>

namespace qiao::vulkan {

const char* library_name() {
    const char* name = secure_getenv("QIAO_VULKAN_LIBRARY");
    return name != nullptr && name[0] != '\0' ? name : "libvulkan.so.1";
}

std::string open_library(const char* library, Loader* out) {
    void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
        const char* reason = dlerror();
        return reason != nullptr ? reason : "unknown reason";
    }
    out->vkGetInstanceProcAddr =
        reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(handle, "vkGetInstanceProcAddr"));
    if (out->vkGetInstanceProcAddr == nullptr) return "it has no function vkGetInstanceProcAddr";
#define LOAD(name)                                                                       \
    out->name = reinterpret_cast<PFN_##name>(out->vkGetInstanceProcAddr(nullptr, #name)); \
    if (out->name == nullptr) return "it has no function " #name;
    QIAO_VULKAN_GLOBAL(LOAD)
#undef LOAD
    return "";
}

std::string load_instance(const Loader& loader, VkInstance instance, InstanceSymbols* out) {
#define LOAD(name) out->name = reinterpret_cast<PFN_##name>(loader.vkGetInstanceProcAddr(instance, #name));
    QIAO_VULKAN_INSTANCE(LOAD)
    QIAO_VULKAN_INSTANCE_OPTIONAL(LOAD)
#undef LOAD
#define CHECK(name) \
    if (out->name == nullptr) return "it has no function " #name;
    QIAO_VULKAN_INSTANCE(CHECK)
#undef CHECK
    return "";
}

std::string load_device(const InstanceSymbols& symbols, VkDevice device, DeviceSymbols* out) {
#define LOAD(name) out->name = reinterpret_cast<PFN_##name>(symbols.vkGetDeviceProcAddr(device, #name));
    QIAO_VULKAN_DEVICE(LOAD)
    QIAO_VULKAN_DEVICE_OPTIONAL(LOAD)
#undef LOAD
#define CHECK(name) \
    if (out->name == nullptr) return "its driver has no function " #name;
    QIAO_VULKAN_DEVICE(CHECK)
#undef CHECK
    return "";
}

} // namespace qiao::vulkan
