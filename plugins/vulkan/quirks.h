// What is known of single vendors' drivers, as data. Vendors are told by VkPhysicalDeviceProperties.vendorID, which is the
// PCI vendor or a Khronos number; never by the driver's id: Moore Threads' driver says VK_DRIVER_ID_BROADCOM_PROPRIETARY.
#pragma once

#include <cstdint>

namespace qiao::vulkan {

// Bytes are read back by a copy on the device, never through a mapped pointer.
inline constexpr uint32_t kNeverReadMapped = 1u << 0;

struct Vendor {
    uint32_t id;
    const char* name;
    uint32_t quirks;
    const char* note; // what a person should know; "" = nothing
};

inline constexpr Vendor kVendors[] = {
    {0x0014, "Loongson", 0, ""},
    {0x0731, "Jingjia Micro", 0, ""},
    {0x1002, "AMD", 0, ""},
    {0x10005, "Mesa", 0, "a work-item's loops end after 65535 rounds in all; compare-and-swap loops are wrong with several subgroups per group"}, // lavapipe 22.3.6
    {0x1010, "Imagination", 0, ""},
    {0x10de, "NVIDIA", 0, ""},
    {0x13b5, "Arm", 0, ""},
    {0x1d17, "Zhaoxin", 0, ""},
    {0x1ec6, "Vastai", 0, ""},
    {0x1ec8, "Innosilicon", 0, ""},
    {0x1ed5, "Moore Threads", kNeverReadMapped, ""}, // its OpenCL driver reads mapped memory at 0.02 GB/s
    {0x1eed, "XDX", 0, ""},
    {0x4c54, "Lisuan", 0, ""},
    {0x5143, "Qualcomm", 0, ""},
    {0x6766, "Glenfly", 0, ""},
    {0x8086, "Intel", 0, ""},
};

// Null for others.
inline const Vendor* find_vendor(uint32_t id) {
    for (const Vendor& vendor : kVendors)
        if (vendor.id == id) return &vendor;
    return nullptr;
}

} // namespace qiao::vulkan
