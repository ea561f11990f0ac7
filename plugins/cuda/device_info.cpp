// What a device says of itself, honestly: what its family has no number for, or its library no answer, stays zero. Opens nothing.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "device.h"

namespace qiao::cuda {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint32_t kMaxParameterBytes = 4096; // what every library of this shape takes

uint32_t positive(std::optional<int> value) {
    return value && *value > 0 ? static_cast<uint32_t>(*value) : 0;
}

// A number of a PCI device's, from sysfs; 0 = unknown.
uint32_t read_pci_id(const char* address, const char* what) {
    const char* root = secure_getenv("QIAO_SYSFS_ROOT");
    const std::string path = std::string(root != nullptr && *root != '\0' ? root : "/sys") + "/bus/pci/devices/" + address + "/" + what;
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return 0;
    char digits[16] = "";
    const ssize_t size = read(file, digits, sizeof digits - 1);
    close(file);
    return size > 0 ? static_cast<uint32_t>(strtoul(digits, nullptr, 16)) : 0;
}

bool read_pci_address(const Driver& driver, const DeviceRecord& record, qiao_plugin_device_info& info) {
    char address[32] = "";
    if (driver.call().device_pci != nullptr && driver.ok(driver.call().device_pci(address, sizeof address - 1, record.handle)) &&
        sscanf(address, "%x:%x:%x.%x", &info.pci_domain, &info.pci_bus, &info.pci_device, &info.pci_function) >= 3)
        return true;
    const std::optional<int> bus = driver.attribute(record.handle, Attribute::pci_bus), device = driver.attribute(record.handle, Attribute::pci_device);
    info.pci_function = 0;
    if (!bus || !device) return false;
    info.pci_domain = positive(driver.attribute(record.handle, Attribute::pci_domain));
    info.pci_bus = positive(bus);
    info.pci_device = positive(device);
    return true;
}

void describe_identity(const Driver& driver, const DeviceRecord& record, qiao_plugin_device_info& info) {
    if (driver.call().device_uuid == nullptr || !driver.ok(driver.call().device_uuid(info.uuid, record.handle))) memset(info.uuid, 0, sizeof info.uuid);
    const Family& family = driver.family();
    if (read_pci_address(driver, record, info)) {
        char address[32];
        snprintf(address, sizeof address, "%04x:%02x:%02x.%x", info.pci_domain, info.pci_bus, info.pci_device, info.pci_function);
        info.pci_vendor_id = read_pci_id(address, "vendor");
        info.pci_device_id = read_pci_id(address, "device");
    }
    std::string vendor = family.vendor;
    for (const Hardware& kind : family.hardware)
        if (kind.pci_vendor == info.pci_vendor_id || family.hardware.size() == 1) vendor = kind.vendor;
    plugin::copy_text(info.vendor, vendor);
}

void describe_limits(const Driver& driver, const DeviceRecord& record, qiao_plugin_device_info& info) {
    const auto ask = [&](Attribute which) { return positive(driver.attribute(record.handle, which)); };
    size_t bytes = 0;
    if (driver.call().device_memory != nullptr && driver.ok(driver.call().device_memory(&bytes, record.handle))) info.memory_bytes = bytes;
    info.max_allocation_bytes = info.memory_bytes;
    info.compute_units = ask(Attribute::compute_units);
    info.max_group_size = ask(Attribute::max_group_size);
    info.local_memory_bytes = ask(Attribute::local_memory_bytes);
    info.subgroup_width = ask(Attribute::subgroup_width);
    info.preferred_group_multiple = info.subgroup_width;
    info.clock_mhz = ask(Attribute::clock_khz) / 1000;
    constexpr Attribute kSizes[] = {Attribute::max_group_x, Attribute::max_group_y, Attribute::max_group_z};
    constexpr Attribute kCounts[] = {Attribute::max_group_count_x, Attribute::max_group_count_y, Attribute::max_group_count_z};
    for (int i = 0; i < 3; ++i) {
        info.max_group[i] = ask(kSizes[i]);
        info.max_group_count[i] = ask(kCounts[i]);
    }
    info.max_argument_bytes = kMaxParameterBytes;
    info.address_bits = 64;
    const bool priorities = driver.call().stream_create_with_priority != nullptr && driver.call().stream_priorities != nullptr;
    info.queue_priorities = priorities && ask(Attribute::stream_priorities) != 0 ? 2 : 1;
}

// Managed memory that the host may not touch while any kernel runs is not what the host's rules allow: there the core's shared
// memory is better.
void describe_memory(const Driver& driver, const DeviceRecord& record, qiao_plugin_device_info& info) {
    const auto ask = [&](Attribute which) { return driver.attribute(record.handle, which); };
    info.memory_kinds = 1u << QIAO_MEMORY_KIND_DEVICE;
    const bool maps_host = ask(Attribute::can_map_host_memory).value_or(1) != 0;
    if (driver.has_host_memory() && maps_host) info.memory_kinds |= 1u << QIAO_MEMORY_KIND_HOST;
    if (ask(Attribute::unified_addressing).value_or(0) == 0) info.memory_levels[QIAO_MEMORY_KIND_HOST] = QIAO_PLUGIN_MEMORY_LEVEL(QIAO_MEMORY_LEVEL_ARGUMENT);
    if (driver.call().managed_allocate != nullptr && ask(Attribute::managed_memory).value_or(0) != 0 &&
        ask(Attribute::concurrent_managed_access).value_or(0) != 0)
        info.memory_kinds |= 1u << QIAO_MEMORY_KIND_SHARED;
    if (driver.has_host_register() && maps_host && ask(Attribute::host_register).value_or(1) != 0) {
        info.import_types = 1u << QIAO_SHARE_TYPE_HOST_POINTER;
        info.import_alignment = kPageBytes;
    }
    if (ask(Attribute::integrated).value_or(0) != 0) info.flags |= QIAO_PLUGIN_DEVICE_UNIFIED;
}

// "sm_80" of 8 and 0, "gfx906" of 906.
std::string target_of(const Driver& driver, const DeviceRecord& record) {
    const Family& family = driver.family();
    if (family.target_prefix.empty()) return "";
    if (family.attributes[static_cast<size_t>(Attribute::architecture)]) {
        const std::optional<int> number = driver.attribute(record.handle, Attribute::architecture);
        return number && *number > 0 ? family.target_prefix + std::to_string(*number) : "";
    }
    const std::optional<int> major = driver.attribute(record.handle, Attribute::capability_major);
    const std::optional<int> minor = driver.attribute(record.handle, Attribute::capability_minor);
    return major && minor ? family.target_prefix + std::to_string(*major) + std::to_string(*minor) : "";
}

void write_note(const Driver& driver, qiao_plugin_device_info& info) {
    const Family& family = driver.family();
    std::string note = family.name + ", " + family.status.state + " on " + family.status.date;
    if (!driver.has_direct_copies()) note += "; copies within the card go over the host";
    if (family.status.state != "ran") note += "; nothing of it has been seen on a card";
    plugin::copy_text(info.note, note);
}

} // namespace

void describe_device(const Plugin& plugin, DeviceRecord& record) {
    const Driver& driver = *record.driver;
    const Family& family = plugin.family;
    qiao_plugin_device_info& info = record.info;
    info.struct_size = sizeof info;
    info.flags = QIAO_PLUGIN_DEVICE_FREE_THREADED;
    info.roles = QIAO_PLUGIN_ROLE_COMPUTE | QIAO_PLUGIN_ROLE_DISCOVERY;
    char name[sizeof info.name] = "";
    if (!driver.ok(driver.call().device_name(name, sizeof name - 1, record.handle)) || name[0] == '\0') snprintf(name, sizeof name, "%s device %d", family.id.c_str(), record.ordinal);
    plugin::copy_text(info.name, name);
    const unsigned version = driver.version();
    plugin::copy_text(info.driver, version == 0 ? driver.path() : text("%s %u.%u", driver.path().c_str(), version / 1000, version % 1000 / 10));
    record.target = target_of(driver, record);
    plugin::copy_text(info.target, record.target);
    describe_identity(driver, record, info);
    describe_limits(driver, record, info);
    describe_memory(driver, record, info);
    info.features = family.features;
    for (const Format& format : family.formats) record.formats += (record.formats.empty() ? "" : ";") + format.name;
    info.formats = record.formats.c_str();
    write_note(driver, info);
}

} // namespace qiao::cuda
