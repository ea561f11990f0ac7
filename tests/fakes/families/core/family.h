/* What tells the families apart, as data: each library has one `family()`. The core knows nothing else of which family it serves. */
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace fakes {

/* Why a call fails, before it has a family's number. */
enum class Error : uint8_t {
    kOk,
    kInvalidValue,
    kOutOfMemory,
    kNotInitialized,
    kNoDevice,
    kInvalidDevice,
    kInvalidDevicePointer,
    kInvalidImage,
    kInvalidContext,
    kNoContext, /* the thread has none */
    kInvalidConfiguration,
    kNoBinary, /* a sound image, for another card */
    kPeerUnsupported,
    kInvalidPtx,
    kInvalidHandle,
    kNotFound,
    kNotReady,
    kIllegalAddress,
    kLaunchOutOfResources,
    kPeerAlreadyEnabled,
    kPeerNotEnabled,
    kContextDestroyed,
    kAlreadyRegistered,
    kNotRegistered,
    kLaunchFailed,
    kNotSupported,
    kNotImplemented,
    kUnknown,
};

struct ErrorCode {
    Error error;
    int number;
    std::string_view name; /* behind the family's prefix of names */
};

/* What a card says of itself. */
enum class Attribute : uint8_t {
    kMaxThreadsPerBlock,
    kMaxBlockX,
    kMaxBlockY,
    kMaxBlockZ,
    kMaxGridX,
    kMaxGridY,
    kMaxGridZ,
    kSharedBytesPerBlock,
    kWarpSize,
    kClockKilohertz,
    kComputeUnits,
    kIntegrated,
    kMapsHostMemory,
    kConcurrentKernels,
    kPciBus,
    kPciDevice,
    kPciDomain,
    kThreadsPerComputeUnit,
    kCopyEngines,
    kUnifiedAddressing,
    kCapabilityMajor,
    kCapabilityMinor,
    kStreamPriorities,
    kManagedMemory,
    kConcurrentManaged,
    kPageableAccess,
    kRegisteredHostPointer,
    kHostRegister,
    kArchitecture,
};

struct AttributeNumber {
    Attribute attribute;
    int number;
};

struct Family {
    const char* id; /* as in the environment's names: "CU" */
    std::span<const ErrorCode> codes;
    const char* error_prefix; /* "CUDA_ERROR_" */
    const char* success_name; /* "CUDA_SUCCESS" */
    std::span<const AttributeNumber> attributes;

    const char* visible_variable; /* which cards a process sees; null = none */

    const char* image_family; /* whose images it takes: image/format.h */
    uintptr_t extra_end;      /* what ends the list `extra` of a launch */

    bool implicit_context; /* a thread without a context gets the first device's */
    bool managed;
    int warp_size;
    int capability_major, capability_minor;
    int architecture;

    bool extra_launches = true;      /* a launch takes packed arguments */
    bool maps_pinned_memory = true;  /* pinned memory may be asked for as memory of the card */
};

const Family& family();

/* Tables that several families share. */
std::span<const ErrorCode> cuda_codes();
std::span<const ErrorCode> hip_codes();
std::span<const ErrorCode> tang_codes();
std::span<const AttributeNumber> cuda_attributes();
std::span<const AttributeNumber> hip_attributes();
std::span<const AttributeNumber> maca_attributes();
std::span<const AttributeNumber> tang_attributes();

} // namespace fakes
