// What a device says of itself, honestly: what OpenCL does not tell stays zero, what it tells through a vendor's extension
// is taken only where that extension is listed. Opens nothing.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "device.h"

namespace qiao::opencl {
namespace {

// cl_khr_* and vendors' queries that older headers lack.
#define QIAO_CL_DEVICE_PREFERRED_GROUP_MULTIPLE 0x1067
#define QIAO_CL_DEVICE_PCI_BUS_ID_NV 0x4008
#define QIAO_CL_DEVICE_PCI_SLOT_ID_NV 0x4009
#define QIAO_CL_DEVICE_PCI_DOMAIN_ID_NV 0x400A

class Asker {
  public:
    Asker(const Symbols& cl, cl_device_id id) : cl_(cl), id_(id) {}

    template <typename T>
    bool ask(cl_device_info what, T* out) const {
        T value = {};
        size_t size = 0;
        if (cl_.clGetDeviceInfo(id_, what, sizeof value, &value, &size) != CL_SUCCESS || size != sizeof value)
            return false;
        *out = value;
        return true;
    }

    template <typename T>
    T get(cl_device_info what) const {
        T value = {};
        ask(what, &value);
        return value;
    }

    std::string text(cl_device_info what) const {
        size_t size = 0;
        if (cl_.clGetDeviceInfo(id_, what, 0, nullptr, &size) != CL_SUCCESS || size == 0) return "";
        std::string value(size, '\0');
        if (cl_.clGetDeviceInfo(id_, what, size, value.data(), nullptr) != CL_SUCCESS) return "";
        value.resize(std::strlen(value.c_str()));
        const size_t start = value.find_first_not_of(' ');
        if (start == std::string::npos) return "";
        return value.substr(start, value.find_last_not_of(' ') - start + 1);
    }

  private:
    const Symbols& cl_;
    cl_device_id id_;
};

template <size_t N>
void put(char (&target)[N], const std::string& text) {
    std::snprintf(target, N, "%s", text.c_str());
}

uint32_t clamp32(uint64_t value) {
    return static_cast<uint32_t>(std::min<uint64_t>(value, UINT32_MAX));
}

bool lists(const std::string& extensions, const char* name) {
    const size_t length = std::strlen(name);
    for (size_t at = extensions.find(name); at != std::string::npos; at = extensions.find(name, at + 1)) {
        const size_t end = at + length;
        if ((at == 0 || extensions[at - 1] == ' ') && (end == extensions.size() || extensions[end] == ' ')) return true;
    }
    return false;
}

// "OpenCL 3.0 PoCL ..." -> 300
unsigned version_of(const std::string& text) {
    unsigned major = 1, minor = 0;
    if (std::sscanf(text.c_str(), "OpenCL %u.%u", &major, &minor) != 2) return 100;
    return major * 100 + minor * 10;
}

void describe_capabilities(const Asker& device, DeviceRecord& record) {
    record.version = version_of(device.text(CL_DEVICE_VERSION));
    record.cl_extensions = device.text(CL_DEVICE_EXTENSIONS);
    const std::string& x = record.cl_extensions;
    record.svm = record.version >= 200 ? device.get<cl_device_svm_capabilities>(CL_DEVICE_SVM_CAPABILITIES) : 0;
    record.usm = lists(x, "cl_intel_unified_shared_memory") &&
                 device.get<cl_bitfield>(CL_DEVICE_DEVICE_MEM_CAPABILITIES_INTEL) != 0;
    record.cpu = (device.get<cl_device_type>(CL_DEVICE_TYPE) & CL_DEVICE_TYPE_CPU) != 0;
    record.priorities = lists(x, "cl_khr_priority_hints");
    record.source = device.get<cl_bool>(CL_DEVICE_COMPILER_AVAILABLE) == CL_TRUE;
    if (record.version >= 210 || lists(x, "cl_khr_il_program")) record.il = device.text(CL_DEVICE_IL_VERSION);
    if (record.version >= 300)
        record.remainder_groups = device.get<cl_bool>(CL_DEVICE_NON_UNIFORM_WORK_GROUP_SUPPORT) == CL_TRUE;
    else
        record.remainder_groups = record.version >= 200; // mandatory in 2.x
}

bool claims_addresses(const DeviceRecord& record) {
    return record.usm || (record.svm & CL_DEVICE_SVM_COARSE_GRAIN_BUFFER) != 0;
}

void choose_formats(DeviceRecord& record) {
    if (record.table) {
        if (record.source) record.formats = "opencl-c+offset";
        return;
    }
    if (record.il.find("SPIR-V") != std::string::npos) record.formats = "spirv-opencl";
    if (record.source) record.formats += record.formats.empty() ? "opencl-c" : ";opencl-c";
}

qiao_features features_of(const Asker& device, const DeviceRecord& record) {
    const std::string& x = record.cl_extensions;
    qiao_features features = 0;
    if (device.get<cl_device_fp_config>(CL_DEVICE_DOUBLE_FP_CONFIG) != 0) features |= QIAO_FEATURE_FP64;
    if (lists(x, "cl_khr_fp16")) features |= QIAO_FEATURE_FP16;
    if (device.text(CL_DEVICE_PROFILE) == "FULL_PROFILE" || lists(x, "cles_khr_int64")) features |= QIAO_FEATURE_INT64;
    if (lists(x, "cl_khr_int64_base_atomics") && lists(x, "cl_khr_int64_extended_atomics"))
        features |= QIAO_FEATURE_INT64_ATOMICS;
    if (lists(x, "cl_khr_subgroups") || lists(x, "cl_intel_subgroups") ||
        (record.version >= 300 && device.get<cl_uint>(CL_DEVICE_MAX_NUM_SUB_GROUPS) > 0))
        features |= QIAO_FEATURE_SUBGROUPS;
    if (device.get<size_t>(CL_DEVICE_PRINTF_BUFFER_SIZE) > 0) features |= QIAO_FEATURE_PRINTF;
    if (!record.table && claims_addresses(record)) features |= QIAO_FEATURE_ADDRESSES;
    return features;
}

void describe_identity(const Asker& device, const DeviceRecord& record, qiao_plugin_device_info& info) {
    const std::string& x = record.cl_extensions;
    struct Uuid {
        uint8_t bytes[CL_UUID_SIZE_KHR];
    } uuid;
    if (lists(x, "cl_khr_device_uuid") && device.ask(CL_DEVICE_UUID_KHR, &uuid))
        std::memcpy(info.uuid, uuid.bytes, sizeof info.uuid);
    cl_device_pci_bus_info_khr pci;
    cl_uint bus = 0, slot = 0;
    if (lists(x, "cl_khr_pci_bus_info") && device.ask(CL_DEVICE_PCI_BUS_INFO_KHR, &pci)) {
        info.pci_domain = pci.pci_domain;
        info.pci_bus = pci.pci_bus;
        info.pci_device = pci.pci_device;
        info.pci_function = pci.pci_function;
    } else if (lists(x, "cl_nv_device_attribute_query") && device.ask(QIAO_CL_DEVICE_PCI_BUS_ID_NV, &bus) &&
               device.ask(QIAO_CL_DEVICE_PCI_SLOT_ID_NV, &slot)) {
        device.ask(QIAO_CL_DEVICE_PCI_DOMAIN_ID_NV, &info.pci_domain);
        info.pci_bus = bus;
        info.pci_device = slot >> 3;
        info.pci_function = slot & 7;
    } else {
        return; // CL_DEVICE_VENDOR_ID alone says nothing about PCI: PoCL gives Intel's for any CPU
    }
    const cl_uint vendor = device.get<cl_uint>(CL_DEVICE_VENDOR_ID);
    if (vendor <= 0xffff) info.pci_vendor_id = vendor;
}

void describe_limits(const Asker& device, const DeviceRecord& record, qiao_plugin_device_info& info) {
    const std::string& x = record.cl_extensions;
    info.memory_bytes = device.get<cl_ulong>(CL_DEVICE_GLOBAL_MEM_SIZE);
    info.max_allocation_bytes = device.get<cl_ulong>(CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    info.compute_units = device.get<cl_uint>(CL_DEVICE_MAX_COMPUTE_UNITS);
    info.max_group_size = clamp32(device.get<size_t>(CL_DEVICE_MAX_WORK_GROUP_SIZE));
    info.local_memory_bytes = clamp32(device.get<cl_ulong>(CL_DEVICE_LOCAL_MEM_SIZE));
    info.max_argument_bytes = clamp32(device.get<size_t>(CL_DEVICE_MAX_PARAMETER_SIZE));
    info.clock_mhz = device.get<cl_uint>(CL_DEVICE_MAX_CLOCK_FREQUENCY);
    info.address_bits = device.get<cl_uint>(CL_DEVICE_ADDRESS_BITS);
    info.queue_priorities = record.priorities ? 2 : 1;
    struct Sizes {
        size_t item[3];
    };
    const Sizes sizes = device.get<Sizes>(CL_DEVICE_MAX_WORK_ITEM_SIZES);
    for (int i = 0; i < 3; ++i) {
        info.max_group[i] = clamp32(sizes.item[i]);
        info.max_group_count[i] = UINT32_MAX; // OpenCL has no limit but that of size_t
    }
    cl_uint width = 0;
    if (lists(x, "cl_nv_device_attribute_query")) device.ask(CL_DEVICE_WARP_SIZE_NV, &width);
    if (lists(x, "cl_amd_device_attribute_query")) device.ask(CL_DEVICE_WAVEFRONT_WIDTH_AMD, &width);
    info.subgroup_width = width; // Intel's compiler chooses among several: unknown
    size_t multiple = 0;
    if (record.version >= 300) device.ask(QIAO_CL_DEVICE_PREFERRED_GROUP_MULTIPLE, &multiple);
    info.preferred_group_multiple = multiple != 0 ? clamp32(multiple) : width;
}

// Of fine-grained memory host and device use one pointer. Both may use it at the same time only with atomics, which the host's
// stores and a running kernel's meet in; coarse-grained memory (device) has to be mapped for the host.
void describe_levels(const DeviceRecord& record, qiao_plugin_device_info& info) {
    if ((info.memory_kinds & (1u << QIAO_MEMORY_KIND_HOST)) == 0) return;
    const bool coherent = !record.usm && (record.svm & CL_DEVICE_SVM_ATOMICS) != 0;
    const bool system = coherent && (record.svm & CL_DEVICE_SVM_FINE_GRAIN_SYSTEM) != 0;
    const qiao_memory_level level = system     ? QIAO_MEMORY_LEVEL_SYSTEM
                                    : coherent ? QIAO_MEMORY_LEVEL_COHERENT
                                               : QIAO_MEMORY_LEVEL_POINTER;
    for (const qiao_memory_kind kind : {QIAO_MEMORY_KIND_HOST, QIAO_MEMORY_KIND_SHARED})
        info.memory_levels[kind] = QIAO_PLUGIN_MEMORY_LEVEL(level);
}

void describe_memory(const Asker& device, const DeviceRecord& record, qiao_plugin_device_info& info) {
    const bool fine = record.usm || (record.svm & CL_DEVICE_SVM_FINE_GRAIN_BUFFER) != 0;
    if (record.table || claims_addresses(record)) info.memory_kinds = 1u << QIAO_MEMORY_KIND_DEVICE;
    if (info.memory_kinds != 0 && fine && !record.table) // the host may not touch a buffer while it is not mapped
        info.memory_kinds |= 1u << QIAO_MEMORY_KIND_HOST | 1u << QIAO_MEMORY_KIND_SHARED;
    describe_levels(record, info);
    if (device.get<cl_bool>(CL_DEVICE_HOST_UNIFIED_MEMORY) == CL_TRUE) info.flags |= QIAO_PLUGIN_DEVICE_UNIFIED;
}

// What may work; the first import tries it. A pointer that is none of OpenCL's is shown to a processor only: what reaches memory
// in another way could be lost by it.
void describe_imports(const Asker& device, const DeviceRecord& record, qiao_plugin_device_info& info) {
    constexpr uint64_t kPageBytes = 4096;
    const bool takes_pointers = (record.svm & CL_DEVICE_SVM_FINE_GRAIN_SYSTEM) != 0 || (record.cpu && record.source && record.svm != 0);
    const bool takes_any = record.table ? (info.flags & QIAO_PLUGIN_DEVICE_UNIFIED) != 0 : takes_pointers && !record.usm;
    if (!takes_any) return;
    info.import_types = 1u << QIAO_SHARE_TYPE_HOST_POINTER;
    info.import_alignment = record.cpu ? std::max<uint64_t>(device.get<cl_uint>(CL_DEVICE_MEM_BASE_ADDR_ALIGN) / 8, 128) : kPageBytes;
}

void write_note(const Asker& device, const DeviceRecord& record, qiao_plugin_device_info& info) {
    const cl_device_type type = device.get<cl_device_type>(CL_DEVICE_TYPE);
    std::string note = type & CL_DEVICE_TYPE_CPU   ? "the host's CPU"
                       : type & CL_DEVICE_TYPE_GPU ? "a GPU"
                                                   : "an accelerator";
    if (record.table)
        note += "; buffers without addresses";
    else if (record.usm)
        note += "; addresses: unified shared memory";
    else if (info.memory_kinds == 0)
        note += "; cannot be opened: the driver has neither shared virtual memory nor unified shared memory";
    else if ((record.svm & CL_DEVICE_SVM_FINE_GRAIN_BUFFER) != 0)
        note += "; addresses: fine-grained shared virtual memory";
    else
        note += "; addresses: coarse-grained shared virtual memory";
    if ((info.features & QIAO_FEATURE_PRINTF) != 0 && !record.hands_out_output) note += "; what kernels print goes to stdout";
    if (record.formats.empty()) note += "; takes neither SPIR-V nor OpenCL C";
    put(info.note, note);
}

} // namespace

void describe_device(Plugin& plugin, DeviceRecord& record) {
    const Asker device(plugin.cl, record.id);
    qiao_plugin_device_info& info = record.info;
    describe_capabilities(device, record);
    record.hands_out_output = lists(record.cl_extensions, "cl_arm_printf");
    record.table = plugin.mode == AddressMode::kTable || (plugin.mode == AddressMode::kAuto && !claims_addresses(record));
    choose_formats(record);
    info.struct_size = sizeof info;
    info.flags = QIAO_PLUGIN_DEVICE_FREE_THREADED | (record.table ? QIAO_PLUGIN_DEVICE_ARGUMENTS_RESOLVED : 0);
    info.roles = QIAO_PLUGIN_ROLE_COMPUTE | QIAO_PLUGIN_ROLE_DISCOVERY;
    const std::string name = device.text(CL_DEVICE_NAME);
    put(info.name, name);
    put(info.vendor, device.text(CL_DEVICE_VENDOR));
    put(info.driver, record.platform_name + " " + device.text(CL_DRIVER_VERSION));
    put(info.target, name);
    describe_identity(device, record, info);
    describe_limits(device, record, info);
    describe_memory(device, record, info);
    describe_imports(device, record, info);
    info.features = features_of(device, record);
    info.formats = record.formats.c_str();
    info.tables = record.table ? &opencl_buffer_tables : record.usm ? &opencl_usm_tables : &opencl_tables;
    write_note(device, record, info);
}

} // namespace qiao::opencl
