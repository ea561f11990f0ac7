// A device's functions by name: device.cpp has them, driver.cpp gives them out.
#pragma once

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>

// Null for a name that this driver does not have.
PFN_vkVoidFunction null_device_function(const char* name);
