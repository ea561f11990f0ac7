/* Numbers of the headers of CUDA, HIP and tang, and of a binding of MACA. Families whose headers nobody outside has read are given CUDA's. */
#include "core/family.h"

namespace fakes {
namespace {

constexpr ErrorCode kCudaCodes[] = {
    {Error::kOk, 0, "SUCCESS"},
    {Error::kInvalidValue, 1, "INVALID_VALUE"},
    {Error::kOutOfMemory, 2, "OUT_OF_MEMORY"},
    {Error::kNotInitialized, 3, "NOT_INITIALIZED"},
    {Error::kNoDevice, 100, "NO_DEVICE"},
    {Error::kInvalidDevice, 101, "INVALID_DEVICE"},
    {Error::kInvalidDevicePointer, 1, "INVALID_VALUE"},
    {Error::kInvalidImage, 200, "INVALID_IMAGE"},
    {Error::kInvalidContext, 201, "INVALID_CONTEXT"},
    {Error::kNoContext, 201, "INVALID_CONTEXT"},
    {Error::kInvalidConfiguration, 1, "INVALID_VALUE"},
    {Error::kNoBinary, 209, "NO_BINARY_FOR_GPU"},
    {Error::kPeerUnsupported, 217, "PEER_ACCESS_UNSUPPORTED"},
    {Error::kInvalidPtx, 218, "INVALID_PTX"},
    {Error::kInvalidHandle, 400, "INVALID_HANDLE"},
    {Error::kNotFound, 500, "NOT_FOUND"},
    {Error::kNotReady, 600, "NOT_READY"},
    {Error::kIllegalAddress, 700, "ILLEGAL_ADDRESS"},
    {Error::kLaunchOutOfResources, 701, "LAUNCH_OUT_OF_RESOURCES"},
    {Error::kPeerAlreadyEnabled, 704, "PEER_ACCESS_ALREADY_ENABLED"},
    {Error::kPeerNotEnabled, 705, "PEER_ACCESS_NOT_ENABLED"},
    {Error::kContextDestroyed, 709, "CONTEXT_IS_DESTROYED"},
    {Error::kAlreadyRegistered, 712, "HOST_MEMORY_ALREADY_REGISTERED"},
    {Error::kNotRegistered, 713, "HOST_MEMORY_NOT_REGISTERED"},
    {Error::kLaunchFailed, 719, "LAUNCH_FAILED"},
    {Error::kNotSupported, 801, "NOT_SUPPORTED"},
    {Error::kNotImplemented, 801, "NOT_SUPPORTED"},
    {Error::kUnknown, 999, "UNKNOWN"},
};

constexpr ErrorCode kHipCodes[] = {
    {Error::kOk, 0, "Success"},
    {Error::kInvalidValue, 1, "InvalidValue"},
    {Error::kOutOfMemory, 2, "OutOfMemory"},
    {Error::kNotInitialized, 3, "NotInitialized"},
    {Error::kInvalidDevicePointer, 17, "InvalidDevicePointer"},
    {Error::kNoDevice, 100, "NoDevice"},
    {Error::kInvalidDevice, 101, "InvalidDevice"},
    {Error::kInvalidImage, 200, "InvalidImage"},
    {Error::kInvalidContext, 201, "InvalidContext"},
    {Error::kNoContext, 201, "InvalidContext"},
    {Error::kInvalidConfiguration, 9, "InvalidConfiguration"},
    {Error::kNoBinary, 209, "NoBinaryForGpu"},
    {Error::kPeerUnsupported, 217, "PeerAccessUnsupported"},
    {Error::kInvalidPtx, 218, "InvalidKernelFile"},
    {Error::kInvalidHandle, 400, "InvalidHandle"},
    {Error::kNotFound, 500, "NotFound"},
    {Error::kNotReady, 600, "NotReady"},
    {Error::kIllegalAddress, 700, "IllegalAddress"},
    {Error::kLaunchOutOfResources, 701, "LaunchOutOfResources"},
    {Error::kPeerAlreadyEnabled, 704, "PeerAccessAlreadyEnabled"},
    {Error::kPeerNotEnabled, 705, "PeerAccessNotEnabled"},
    {Error::kContextDestroyed, 709, "ContextIsDestroyed"},
    {Error::kAlreadyRegistered, 712, "HostMemoryAlreadyRegistered"},
    {Error::kNotRegistered, 713, "HostMemoryNotRegistered"},
    {Error::kLaunchFailed, 719, "LaunchFailure"},
    {Error::kNotSupported, 801, "NotSupported"},
    {Error::kNotImplemented, 801, "NotSupported"},
    {Error::kUnknown, 999, "Unknown"},
};

/* What is not known of it is CUDA's. */
constexpr ErrorCode kTangCodes[] = {
    {Error::kOk, 0, "SUCCESS"},
    {Error::kInvalidValue, 1, "INVALID_VALUE"},
    {Error::kOutOfMemory, 2, "OUT_OF_MEMORY"},
    {Error::kNotInitialized, 3, "NOT_INITIALIZED"},
    {Error::kNoDevice, 100, "NO_DEVICE"},
    {Error::kInvalidDevice, 101, "INVALID_DEVICE"},
    {Error::kInvalidDevicePointer, 1, "INVALID_VALUE"},
    {Error::kInvalidImage, 200, "INVALID_IMAGE"},
    {Error::kInvalidContext, 201, "INVALID_CONTEXT"},
    {Error::kNoContext, 202, "NO_CONTEXT_BOUND"},
    {Error::kInvalidConfiguration, 9, "INVALID_CONFIGURATION"},
    {Error::kNoBinary, 209, "NO_BINARY_FOR_GPU"},
    {Error::kPeerUnsupported, 217, "PEER_ACCESS_UNSUPPORTED"},
    {Error::kInvalidPtx, 218, "INVALID_PTX"},
    {Error::kInvalidHandle, 400, "INVALID_HANDLE"},
    {Error::kNotFound, 301, "NOT_FOUND"},
    {Error::kNotReady, 600, "NOT_READY"},
    {Error::kIllegalAddress, 700, "ILLEGAL_ADDRESS"},
    {Error::kLaunchOutOfResources, 701, "LAUNCH_OUT_OF_RESOURCES"},
    {Error::kPeerAlreadyEnabled, 704, "PEER_ACCESS_ALREADY_ENABLED"},
    {Error::kPeerNotEnabled, 705, "PEER_ACCESS_NOT_ENABLED"},
    {Error::kContextDestroyed, 709, "CONTEXT_IS_DESTROYED"},
    {Error::kAlreadyRegistered, 712, "HOST_MEMORY_ALREADY_REGISTERED"},
    {Error::kNotRegistered, 713, "HOST_MEMORY_NOT_REGISTERED"},
    {Error::kLaunchFailed, 719, "LAUNCH_FAILED"},
    {Error::kNotSupported, 801, "NOT_SUPPORTED"},
    {Error::kNotImplemented, 99, "NOT_IMPLEMENTED"},
    {Error::kUnknown, 999, "UNKNOWN"},
};

constexpr AttributeNumber kCudaAttributes[] = {
    {Attribute::kMaxThreadsPerBlock, 1}, {Attribute::kMaxBlockX, 2},
    {Attribute::kMaxBlockY, 3},          {Attribute::kMaxBlockZ, 4},
    {Attribute::kMaxGridX, 5},           {Attribute::kMaxGridY, 6},
    {Attribute::kMaxGridZ, 7},           {Attribute::kSharedBytesPerBlock, 8},
    {Attribute::kWarpSize, 10},          {Attribute::kClockKilohertz, 13},
    {Attribute::kComputeUnits, 16},      {Attribute::kIntegrated, 18},
    {Attribute::kMapsHostMemory, 19},    {Attribute::kConcurrentKernels, 31},
    {Attribute::kPciBus, 33},            {Attribute::kPciDevice, 34},
    {Attribute::kPciDomain, 50},         {Attribute::kThreadsPerComputeUnit, 39},
    {Attribute::kCopyEngines, 40},       {Attribute::kUnifiedAddressing, 41},
    {Attribute::kCapabilityMajor, 75},   {Attribute::kCapabilityMinor, 76},
    {Attribute::kStreamPriorities, 78},  {Attribute::kManagedMemory, 83},
    {Attribute::kPageableAccess, 88},    {Attribute::kConcurrentManaged, 89},
    {Attribute::kRegisteredHostPointer, 91}, {Attribute::kHostRegister, 99},
};

constexpr AttributeNumber kHipAttributes[] = {
    {Attribute::kCopyEngines, 2},          {Attribute::kMapsHostMemory, 3},
    {Attribute::kRegisteredHostPointer, 4}, {Attribute::kClockKilohertz, 5},
    {Attribute::kConcurrentKernels, 8},    {Attribute::kConcurrentManaged, 9},
    {Attribute::kIntegrated, 16},          {Attribute::kCapabilityMajor, 23},
    {Attribute::kManagedMemory, 24},       {Attribute::kMaxBlockX, 26},
    {Attribute::kMaxBlockY, 27},           {Attribute::kMaxBlockZ, 28},
    {Attribute::kMaxGridX, 29},            {Attribute::kMaxGridY, 30},
    {Attribute::kMaxGridZ, 31},            {Attribute::kMaxThreadsPerBlock, 56},
    {Attribute::kThreadsPerComputeUnit, 57}, {Attribute::kCapabilityMinor, 61},
    {Attribute::kComputeUnits, 63},        {Attribute::kPageableAccess, 65},
    {Attribute::kPciBus, 67},              {Attribute::kPciDevice, 68},
    {Attribute::kPciDomain, 69},           {Attribute::kSharedBytesPerBlock, 74},
    {Attribute::kStreamPriorities, 78},    {Attribute::kUnifiedAddressing, 85},
    {Attribute::kWarpSize, 87},            {Attribute::kArchitecture, 10003},
};

/* The order that HIP had before. */
constexpr AttributeNumber kMacaAttributes[] = {
    {Attribute::kMaxThreadsPerBlock, 0}, {Attribute::kMaxBlockX, 1},
    {Attribute::kMaxBlockY, 2},          {Attribute::kMaxBlockZ, 3},
    {Attribute::kMaxGridX, 4},           {Attribute::kMaxGridY, 5},
    {Attribute::kMaxGridZ, 6},           {Attribute::kSharedBytesPerBlock, 7},
    {Attribute::kWarpSize, 9},           {Attribute::kClockKilohertz, 13},
    {Attribute::kComputeUnits, 16},      {Attribute::kCapabilityMajor, 21},
    {Attribute::kCapabilityMinor, 22},   {Attribute::kPciBus, 24},
    {Attribute::kPciDevice, 25},         {Attribute::kIntegrated, 28},
    {Attribute::kMapsHostMemory, 43},    {Attribute::kManagedMemory, 50},
    {Attribute::kConcurrentManaged, 52}, {Attribute::kUnifiedAddressing, 64},
    {Attribute::kPciDomain, 79},
};

constexpr AttributeNumber kTangAttributes[] = {
    {Attribute::kSharedBytesPerBlock, 0}, {Attribute::kWarpSize, 2},
    {Attribute::kMaxThreadsPerBlock, 4},  {Attribute::kMaxBlockX, 5},
    {Attribute::kMaxBlockY, 6},           {Attribute::kMaxBlockZ, 7},
    {Attribute::kMaxGridX, 8},            {Attribute::kMaxGridY, 9},
    {Attribute::kMaxGridZ, 10},           {Attribute::kClockKilohertz, 11},
    {Attribute::kComputeUnits, 13},       {Attribute::kStreamPriorities, 24},
    {Attribute::kMapsHostMemory, 35},     {Attribute::kUnifiedAddressing, 36},
    {Attribute::kManagedMemory, 37},      {Attribute::kConcurrentManaged, 38},
    {Attribute::kIntegrated, 46},         {Attribute::kCapabilityMajor, 51},
    {Attribute::kCapabilityMinor, 52},    {Attribute::kPciBus, 53},
    {Attribute::kPciDevice, 54},          {Attribute::kPciDomain, 55},
    {Attribute::kHostRegister, 61},
};

} // namespace

std::span<const ErrorCode> cuda_codes() {
    return kCudaCodes;
}
std::span<const ErrorCode> hip_codes() {
    return kHipCodes;
}
std::span<const ErrorCode> tang_codes() {
    return kTangCodes;
}
std::span<const AttributeNumber> cuda_attributes() {
    return kCudaAttributes;
}
std::span<const AttributeNumber> hip_attributes() {
    return kHipAttributes;
}

std::span<const AttributeNumber> maca_attributes() {
    return kMacaAttributes;
}
std::span<const AttributeNumber> tang_attributes() {
    return kTangAttributes;
}

} // namespace fakes
