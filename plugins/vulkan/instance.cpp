// The Vulkan instance, made when devices are counted for the first time, and the validation layer that
// QIAO_VULKAN_VALIDATION=1 puts into it. Its messages go to the log.
#include <stdlib.h>

#include "device.h"

namespace qiao::vulkan {
namespace {

constexpr const char* kValidationLayer = "VK_LAYER_KHRONOS_validation";
constexpr const char* kInstall = "install the card's Vulkan driver, or mesa-vulkan-drivers for the CPU; VK_DRIVER_FILES and "
                                 "VK_ICD_FILENAMES, if set, must name .json files whose libraries can be opened";

bool validation_wanted() {
    const char* value = secure_getenv("QIAO_VULKAN_VALIDATION");
    return value != nullptr && value[0] == '1' && value[1] == '\0';
}

bool has_layer(const Loader& loader) {
    uint32_t count = 0;
    if (loader.vkEnumerateInstanceLayerProperties(&count, nullptr) != VK_SUCCESS) return false;
    std::vector<VkLayerProperties> layers(count);
    if (loader.vkEnumerateInstanceLayerProperties(&count, layers.data()) < VK_SUCCESS) return false;
    for (const VkLayerProperties& layer : layers)
        if (std::strcmp(layer.layerName, kValidationLayer) == 0) return true;
    return false;
}

VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity, VkDebugUtilsMessageTypeFlagsEXT,
                                          const VkDebugUtilsMessengerCallbackDataEXT* data, void* user) {
    const qiao_log_level level = severity & VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT     ? QIAO_LOG_LEVEL_ERROR
                                 : severity & VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT ? QIAO_LOG_LEVEL_WARNING
                                                                                              : QIAO_LOG_LEVEL_DEBUG;
    try {
        static_cast<Plugin*>(user)->host.log(level, text("Vulkan: ", data->pMessage != nullptr ? data->pMessage : ""));
    } catch (const std::bad_alloc&) {
        static_cast<void>(user); // a message is lost; the call it is about is not
    }
    return VK_FALSE;
}

VkDebugUtilsMessengerCreateInfoEXT messenger_info(Plugin& plugin) {
    VkDebugUtilsMessengerCreateInfoEXT info = {};
    info.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT;
    info.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
    info.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_GENERAL_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
    info.pfnUserCallback = on_message;
    info.pUserData = &plugin;
    return info;
}

qiao_status make_instance(Plugin& plugin) {
    uint32_t version = 0;
    if (plugin.loader.vkEnumerateInstanceVersion(&version) != VK_SUCCESS || version < VK_API_VERSION_1_2)
        return plugin.host.fail({.status = QIAO_ERROR_UNSUPPORTED,
                                 .message = text(plugin.library, " speaks Vulkan ", VK_API_VERSION_MAJOR(version), ".",
                                                 VK_API_VERSION_MINOR(version), ", 1.2 is needed"),
                                 .remedy = "install a newer Vulkan loader"});
    plugin.validation = validation_wanted();
    if (plugin.validation && !has_layer(plugin.loader)) {
        plugin.host.log(QIAO_LOG_LEVEL_WARNING, text("QIAO_VULKAN_VALIDATION is 1, but there is no layer ", kValidationLayer,
                                                     "; install vulkan-validationlayers"));
        plugin.validation = false;
    }
    VkApplicationInfo application = {};
    application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
    application.pEngineName = "Qiao";
    application.apiVersion = VK_API_VERSION_1_2;
    const VkDebugUtilsMessengerCreateInfoEXT messenger = messenger_info(plugin);
    const char* extension = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
    VkInstanceCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    info.pApplicationInfo = &application;
    if (plugin.validation) {
        info.pNext = &messenger;
        info.enabledLayerCount = 1;
        info.ppEnabledLayerNames = &kValidationLayer;
        info.enabledExtensionCount = 1;
        info.ppEnabledExtensionNames = &extension;
    }
    const VkResult result = plugin.loader.vkCreateInstance(&info, nullptr, &plugin.instance);
    if (result != VK_SUCCESS)
        return plugin.host.fail(failure_of(result, text(plugin.library, " finds no driver that can be used"), kInstall));
    if (const std::string missing = load_instance(plugin.loader, plugin.instance, &plugin.vk); !missing.empty())
        return plugin.host.fail({.status = QIAO_ERROR_PLUGIN,
                                 .message = text("the Vulkan library ", plugin.library, " cannot be used: ", missing),
                                 .remedy = "install a newer Vulkan loader"});
    if (plugin.validation && plugin.vk.vkCreateDebugUtilsMessengerEXT != nullptr)
        plugin.vk.vkCreateDebugUtilsMessengerEXT(plugin.instance, &messenger, nullptr, &plugin.messenger);
    return QIAO_OK;
}

qiao_status list_devices(Plugin& plugin) {
    uint32_t count = 0;
    VkResult result = plugin.vk.vkEnumeratePhysicalDevices(plugin.instance, &count, nullptr);
    std::vector<VkPhysicalDevice> devices(count);
    if (result == VK_SUCCESS && count != 0)
        result = plugin.vk.vkEnumeratePhysicalDevices(plugin.instance, &count, devices.data());
    if (result < VK_SUCCESS)
        return plugin.host.fail(failure_of(result, "the Vulkan loader cannot list its devices", kInstall));
    for (uint32_t i = 0; i < count; ++i) {
        auto record = std::make_unique<DeviceRecord>();
        record->physical = devices[i];
        describe_device(plugin, *record);
        if (record->families.compute.queues == 0) {
            plugin.host.log(QIAO_LOG_LEVEL_INFO, text(record->info.name, " is left out: it has no queue that computes"));
            continue;
        }
        plugin.records.push_back(std::move(record));
    }
    return QIAO_OK;
}

} // namespace

qiao_status create_instance(Plugin& plugin) {
    qiao_status status = make_instance(plugin);
    if (status == QIAO_OK) status = list_devices(plugin);
    if (status != QIAO_OK) {
        destroy_instance(plugin);
        // No driver is no failure: there are no devices, and the record says why.
        return status == QIAO_ERROR_NOT_FOUND ? static_cast<qiao_status>(QIAO_OK) : status;
    }
    plugin.enumerated = true; // not before: without drivers the next call looks, and tells, again
    return QIAO_OK;
}

void destroy_instance(Plugin& plugin) {
    if (plugin.messenger != VK_NULL_HANDLE && plugin.vk.vkDestroyDebugUtilsMessengerEXT != nullptr)
        plugin.vk.vkDestroyDebugUtilsMessengerEXT(plugin.instance, plugin.messenger, nullptr);
    if (plugin.instance != VK_NULL_HANDLE && plugin.vk.vkDestroyInstance != nullptr)
        plugin.vk.vkDestroyInstance(plugin.instance, nullptr);
    plugin.messenger = VK_NULL_HANDLE;
    plugin.instance = VK_NULL_HANDLE;
    plugin.records.clear();
}

} // namespace qiao::vulkan
