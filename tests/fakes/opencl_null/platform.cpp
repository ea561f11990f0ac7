// Platforms, devices and contexts of the null driver, and what they say of themselves.
#include <cstring>

#include "driver.h"

using namespace null_driver;

namespace {

constexpr unsigned kMost = 8;
_cl_platform_id platform_objects[kMost];
_cl_device_id device_objects[kMost];

NULL_POINT(clGetPlatformIDs)
NULL_POINT(clGetDeviceIDs)
NULL_POINT(clGetDeviceInfo)
NULL_POINT(clCreateContext)

cl_int give(const void* value, size_t size, size_t room, void* out, size_t* out_size) {
    if (out_size != nullptr) *out_size = size;
    if (out == nullptr) return CL_SUCCESS;
    if (room < size) return misuse("an answer does not fit the size given", CL_INVALID_VALUE);
    std::memcpy(out, value, size);
    return CL_SUCCESS;
}

cl_int give_text(const std::string& text, size_t room, void* out, size_t* out_size) {
    return give(text.c_str(), text.size() + 1, room, out, out_size);
}

std::string version_text() {
    return "OpenCL " + std::to_string(settings.version / 100) + "." + std::to_string(settings.version / 10 % 10) +
           " null";
}

std::string extension_text() {
    std::string text = "cl_khr_fp64 cl_khr_priority_hints cl_khr_device_uuid cl_khr_pci_bus_info";
    if (settings.arm_printf) text += " cl_arm_printf";
    if (settings.usm) text += " cl_intel_unified_shared_memory";
    return text;
}

cl_device_svm_capabilities svm_capabilities() {
    switch (settings.svm) {
        case Svm::kFine:
            return CL_DEVICE_SVM_COARSE_GRAIN_BUFFER | CL_DEVICE_SVM_FINE_GRAIN_BUFFER;
        case Svm::kCoarse:
            return CL_DEVICE_SVM_COARSE_GRAIN_BUFFER;
        default:
            return 0;
    }
}

cl_bool boolean(bool value) {
    return value ? CL_TRUE : CL_FALSE;
}

unsigned platform_count() {
    return settings.platforms + (settings.bad_platform ? 1 : 0);
}

} // namespace

NULL_EXPORT cl_int clGetPlatformIDs(cl_uint room, cl_platform_id* out, cl_uint* out_count) {
    read_environment();
    NULL_FAIL(clGetPlatformIDs);
    const unsigned count = platform_count();
    if (out_count != nullptr) *out_count = count;
    if (count == 0) return CL_PLATFORM_NOT_FOUND_KHR;
    for (unsigned i = 0; out != nullptr && i < room && i < count && i < kMost; ++i) {
        platform_objects[i].number = i;
        out[i] = &platform_objects[i];
    }
    return CL_SUCCESS;
}

NULL_EXPORT cl_int clGetPlatformInfo(cl_platform_id platform, cl_platform_info what, size_t room, void* out,
                                     size_t* out_size) {
    const bool bad = settings.bad_platform && platform->number == 0;
    switch (what) {
        case CL_PLATFORM_NAME:
            return give_text(bad ? "Broken" : "Null", room, out, out_size);
        case CL_PLATFORM_VENDOR:
            return give_text("Nobody", room, out, out_size);
        case CL_PLATFORM_VERSION:
            return give_text(version_text(), room, out, out_size);
        case CL_PLATFORM_EXTENSIONS:
            return give_text(extension_text(), room, out, out_size);
        default:
            return CL_INVALID_VALUE;
    }
}

NULL_EXPORT cl_int clGetDeviceIDs(cl_platform_id platform, cl_device_type, cl_uint room, cl_device_id* out,
                                  cl_uint* out_count) {
    NULL_FAIL(clGetDeviceIDs);
    if (settings.bad_platform && platform->number == 0) return CL_INVALID_PLATFORM;
    if (out_count != nullptr) *out_count = settings.devices;
    if (settings.devices == 0) return CL_DEVICE_NOT_FOUND;
    for (unsigned i = 0; out != nullptr && i < room && i < settings.devices && i < kMost; ++i)
        out[i] = &device_objects[i];
    return CL_SUCCESS;
}

NULL_EXPORT cl_int clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t room, void* out, size_t* out_size) {
    NULL_FAIL(clGetDeviceInfo);
    if (device < device_objects || device >= device_objects + kMost)
        return misuse("clGetDeviceInfo of no device", CL_INVALID_DEVICE);
    const auto value = [&](const auto& v) { return give(&v, sizeof v, room, out, out_size); };
    const cl_uint number = static_cast<cl_uint>(device - device_objects);
    switch (what) {
        case CL_DEVICE_TYPE:
            return value(cl_device_type{CL_DEVICE_TYPE_ACCELERATOR});
        case CL_DEVICE_NAME:
            return give_text("null device " + std::to_string(number), room, out, out_size);
        case CL_DEVICE_VENDOR:
            return give_text("Nobody", room, out, out_size);
        case CL_DRIVER_VERSION:
            return give_text("1.0", room, out, out_size);
        case CL_DEVICE_VERSION:
            return give_text(version_text(), room, out, out_size);
        case CL_DEVICE_PROFILE:
            return give_text("FULL_PROFILE", room, out, out_size);
        case CL_DEVICE_EXTENSIONS:
            return give_text(extension_text(), room, out, out_size);
        case CL_DEVICE_IL_VERSION:
            return give_text(settings.il ? "SPIR-V_1.0 SPIR-V_1.2" : "", room, out, out_size);
        case CL_DEVICE_SVM_CAPABILITIES:
            return value(svm_capabilities());
        case CL_DEVICE_DEVICE_MEM_CAPABILITIES_INTEL:
            return value(cl_bitfield{1});
        case CL_DEVICE_COMPILER_AVAILABLE:
            return value(boolean(!settings.no_compiler));
        case CL_DEVICE_AVAILABLE:
            return value(boolean(!settings.unavailable));
        case CL_DEVICE_NON_UNIFORM_WORK_GROUP_SUPPORT:
            return value(cl_bool{CL_TRUE});
        case CL_DEVICE_HOST_UNIFIED_MEMORY:
            return value(cl_bool{CL_FALSE});
        case CL_DEVICE_DOUBLE_FP_CONFIG:
            return value(cl_device_fp_config{CL_FP_FMA});
        case CL_DEVICE_MAX_NUM_SUB_GROUPS:
            return value(cl_uint{0});
        case CL_DEVICE_PRINTF_BUFFER_SIZE:
            return value(size_t{1} << 20);
        case CL_DEVICE_GLOBAL_MEM_SIZE:
            return value(cl_ulong{8} << 30);
        case CL_DEVICE_MAX_MEM_ALLOC_SIZE:
            return value(cl_ulong{2} << 30);
        case CL_DEVICE_LOCAL_MEM_SIZE:
            return value(cl_ulong{65536});
        case CL_DEVICE_MAX_COMPUTE_UNITS:
            return value(cl_uint{4});
        case CL_DEVICE_MAX_WORK_GROUP_SIZE:
            return value(size_t{1024});
        case CL_DEVICE_MAX_PARAMETER_SIZE:
            return value(size_t{4096});
        case CL_DEVICE_MAX_CLOCK_FREQUENCY:
            return value(cl_uint{1000});
        case CL_DEVICE_ADDRESS_BITS:
            return value(cl_uint{64});
        case CL_DEVICE_VENDOR_ID:
            return value(cl_uint{0x1234});
        case CL_DEVICE_PREFERRED_WORK_GROUP_SIZE_MULTIPLE:
            return value(size_t{32});
        case CL_DEVICE_MAX_WORK_ITEM_SIZES: {
            const size_t sizes[3] = {1024, 512, 64};
            return give(sizes, sizeof sizes, room, out, out_size);
        }
        case CL_DEVICE_UUID_KHR: {
            cl_uchar uuid[CL_UUID_SIZE_KHR] = {0x6e, 0x75, 0x6c, 0x6c};
            uuid[15] = static_cast<cl_uchar>(number);
            return give(uuid, sizeof uuid, room, out, out_size);
        }
        case CL_DEVICE_PCI_BUS_INFO_KHR:
            return value(cl_device_pci_bus_info_khr{1, 2, number, 4});
        default:
            return CL_INVALID_VALUE;
    }
}

NULL_EXPORT cl_context clCreateContext(const cl_context_properties* properties, cl_uint, const cl_device_id*,
                                       void(CL_CALLBACK* notify)(const char*, const void*, size_t, void*), void* user,
                                       cl_int* out_code) {
    NULL_FAIL_OBJECT(clCreateContext, out_code);
    if (notify == nullptr && user != nullptr) {
        misuse("clCreateContext with user data for nobody", CL_INVALID_VALUE);
        if (out_code != nullptr) *out_code = CL_INVALID_VALUE;
        return nullptr;
    }
    for (; properties != nullptr && *properties != 0; properties += 2) {
        if (*properties == CL_CONTEXT_PLATFORM) continue;
        if (*properties != CL_PRINTF_CALLBACK_ARM || !settings.arm_printf) {
            misuse("clCreateContext with a property that is not known", CL_INVALID_PROPERTY);
            if (out_code != nullptr) *out_code = CL_INVALID_PROPERTY;
            return nullptr;
        }
        printf_callback = reinterpret_cast<decltype(printf_callback)>(properties[1]);
        printf_user = user;
    }
    ++counts.contexts;
    if (out_code != nullptr) *out_code = CL_SUCCESS;
    return keep(new _cl_context{nullptr, _cl_context::kTag});
}

NULL_EXPORT cl_int clReleaseContext(cl_context context) {
    if (!alive(context)) return misuse("clReleaseContext of no context", CL_INVALID_CONTEXT);
    --counts.contexts;
    bury(context);
    return CL_SUCCESS;
}

NULL_EXPORT cl_int clGetDeviceAndHostTimer(cl_device_id, cl_ulong* device_ns, cl_ulong* host_ns) {
    *device_ns = *host_ns = clock_ns.fetch_add(10);
    return CL_SUCCESS;
}
