// Which of the cards the kernel's graphics drivers have, as libdrm lists them. Opened at run time, and only for the list: nothing is asked
// of the nodes themselves.
#include <dlfcn.h>

#include <memory>
#include <vector>

#include "topology/providers.h"

namespace qiao::topology {
namespace {

constexpr char kName[] = "libdrm.so.2";
constexpr int kBusPci = 0, kMostDevices = 1024;

// The beginning of what drmGetDevices2 gives; libdrm keeps it as it is.
struct PciPlace {
    uint16_t domain;
    uint8_t bus, device, function;
};
struct PciIdentity {
    uint16_t vendor, device;
};
struct Device {
    char** nodes;
    int available_nodes;
    int bus_type;
    const PciPlace* place;
    const PciIdentity* identity;
};

} // namespace

void add_libdrm(Graph& graph) {
    ProviderReport& report = graph.report(QIAO_TOPOLOGY_PROVIDER_LIBDRM);
    const std::unique_ptr<void, int (*)(void*)> library(dlopen(kName, RTLD_NOW | RTLD_LOCAL), [](void* handle) { return handle == nullptr ? 0 : dlclose(handle); });
    if (library == nullptr) return absent(report, std::string(kName) + " is not installed");
    const auto get = reinterpret_cast<int (*)(uint32_t, Device**, int)>(dlsym(library.get(), "drmGetDevices2"));
    const auto free_devices = reinterpret_cast<void (*)(Device**, int)>(dlsym(library.get(), "drmFreeDevices"));
    if (get == nullptr || free_devices == nullptr) return failed(report, std::string(kName) + " lacks drmGetDevices2");
    std::vector<Device*> devices(kMostDevices);
    const int count = get(0, devices.data(), kMostDevices);
    if (count <= 0) return absent(report, "libdrm knows no device here");
    size_t cards = 0;
    for (int index = 0; index < count; ++index) {
        const Device& device = *devices[static_cast<size_t>(index)];
        if (device.bus_type != kBusPci || device.place == nullptr) continue;
        const std::string id = pci_id(device.place->domain, device.place->bus, device.place->device, device.place->function);
        graph.add_vertex({.id = id,
                          .provider = QIAO_TOPOLOGY_PROVIDER_LIBDRM,
                          .pci_vendor_id = device.identity != nullptr ? device.identity->vendor : 0u,
                          .pci_device_id = device.identity != nullptr ? device.identity->device : 0u});
        ++cards;
    }
    free_devices(devices.data(), count);
    found(report, counted(cards, "card"));
}

} // namespace qiao::topology
