/* Shared by both audiences (qiao.h for applications, plugin.h for vendors): version, calling convention and the
 * small vocabularies that applications, packages and plugins must spell the same way. */
#ifndef QIAO_TYPES_H
#define QIAO_TYPES_H

#include <stddef.h>
#include <stdint.h>

#define QIAO_VERSION_MAJOR 0u
#define QIAO_VERSION_MINOR 1u
#define QIAO_VERSION_PATCH 0u

#if defined(__GNUC__)
#define QIAO_EXPORT __attribute__((visibility("default")))
#else
#define QIAO_EXPORT
#endif

/* One macro per declaration: C linkage and visibility. Every function is `noexcept` for C++ callers by contract. */
#ifdef __cplusplus
#define QIAO_API extern "C" QIAO_EXPORT
#else
#define QIAO_API QIAO_EXPORT
#endif

/// A wait that never times out. It still ends by completion, failure or device loss.
#define QIAO_TIMEOUT_INFINITE UINT64_MAX

/// What a kernel or a device needs or has beyond 32-bit integers and fp32. A bit set.
typedef uint64_t qiao_features;
#define QIAO_FEATURE_FP64 (UINT64_C(1) << 0)
#define QIAO_FEATURE_FP16 (UINT64_C(1) << 1)
#define QIAO_FEATURE_INT64 (UINT64_C(1) << 2)
#define QIAO_FEATURE_INT64_ATOMICS (UINT64_C(1) << 3)
#define QIAO_FEATURE_SUBGROUPS (UINT64_C(1) << 4)
#define QIAO_FEATURE_PRINTF (UINT64_C(1) << 5)
/// Addresses inside data (structs, arrays of pointers) can be followed by a kernel.
#define QIAO_FEATURE_ADDRESSES (UINT64_C(1) << 6)

typedef uint32_t qiao_argument_kind;
#define QIAO_ARGUMENT_KIND_VALUE 0u   /* bytes copied from the block */
#define QIAO_ARGUMENT_KIND_ADDRESS 1u /* an 8-byte device address in the block */
#define QIAO_ARGUMENT_KIND_LOCAL 2u   /* a uint32_t byte count at the block's end */

/// What a kernel does through an address argument. A bit set; 0 = unknown.
typedef uint32_t qiao_access;
#define QIAO_ACCESS_READ 1u
#define QIAO_ACCESS_WRITE 2u

/// Limits of the argument block, so that plugins may use fixed stack arrays.
#define QIAO_MAX_ARGUMENTS 128u
#define QIAO_MAX_ARGUMENT_BYTES 4096u

typedef uint32_t qiao_memory_kind;
#define QIAO_MEMORY_KIND_DEVICE 1u /* the card's own memory */
#define QIAO_MEMORY_KIND_HOST 2u   /* host memory that the card can reach */
#define QIAO_MEMORY_KIND_SHARED 3u /* one address for host and card */

/// What memory of one kind can do on a device. Each level includes those below it; hal/docs/memory.md has a table of devices.
typedef uint32_t qiao_memory_level;
/// M0: copies and fills only; kernels cannot reach it.
#define QIAO_MEMORY_LEVEL_COPY 0u
/// M1: its addresses, plus any element offset, are arguments of kernels.
#define QIAO_MEMORY_LEVEL_ARGUMENT 1u
/// M2: kernels follow its addresses inside data. Of memory that the host reaches the address is the host pointer as well.
#define QIAO_MEMORY_LEVEL_POINTER 2u
/// M3: host and a *running* kernel see each other's stores, and atomic operations of both count right; the address is the host pointer.
#define QIAO_MEMORY_LEVEL_COHERENT 3u
/// M4: the same holds for every pointer of the process (malloc, stack, global): nothing has to be allocated here for it.
#define QIAO_MEMORY_LEVEL_SYSTEM 4u
/// How something is shared, or can be: a number, and in sets of them the bit (1 << number). hal/docs/sharing.md has the list.
typedef uint32_t qiao_share_type;
#define QIAO_SHARE_TYPE_HOST_POINTER 1u /* host memory of this process */
#define QIAO_SHARE_TYPE_HOST_FILE 2u    /* host memory in a sealed file of the library's: every device, every process */
#define QIAO_SHARE_TYPE_OPAQUE_FD 3u    /* device memory as its driver hands it over: to the same device and driver */
#define QIAO_SHARE_TYPE_DMA_BUF 4u      /* a dma-buf of Linux */
#define QIAO_SHARE_TYPE_TIMELINE 5u     /* a timeline of the library's */

/// What a native handle is; 0 = none. hal/docs/native.md has the list, hal/docs/extensions.md the vendors' numbers.
typedef uint32_t qiao_native_type;
#define QIAO_NATIVE_TYPE_OPENCL_DEVICE 0x101u /* cl_device_id, cl_context, cl_platform_id */
#define QIAO_NATIVE_TYPE_OPENCL_QUEUE 0x102u  /* cl_command_queue */
#define QIAO_NATIVE_TYPE_OPENCL_SVM 0x103u    /* pointer of clSVMAlloc */
#define QIAO_NATIVE_TYPE_OPENCL_USM 0x104u    /* pointer of cl_intel_unified_shared_memory */
#define QIAO_NATIVE_TYPE_OPENCL_BUFFER 0x105u /* cl_mem */
#define QIAO_NATIVE_TYPE_VULKAN_DEVICE 0x201u /* VkDevice, VkPhysicalDevice, VkInstance, index of the compute family */
#define QIAO_NATIVE_TYPE_VULKAN_QUEUE 0x202u  /* VkQueue, VkSemaphore of the timeline, index of the family */
#define QIAO_NATIVE_TYPE_VULKAN_BUFFER 0x203u /* VkBuffer, byte offset, VkDeviceMemory */
#define QIAO_NATIVE_TYPE_CUDA_DEVICE 0x301u   /* library (of dlopen), context (0 = threads set a device), device, ordinal */
#define QIAO_NATIVE_TYPE_CUDA_STREAM 0x302u   /* stream */
#define QIAO_NATIVE_TYPE_CUDA_MEMORY 0x303u   /* address on the device, host pointer (0 = none) */

/// A vendor's own object. Frozen, 40 bytes. Pointers are given as integers; what is not used is 0.
typedef struct qiao_native {
    qiao_native_type type;
    uint32_t reserved0;
    uint64_t handles[4]; /* in the order that the type says */
} qiao_native;
#define QIAO_NATIVE_INIT {0u, 0u, {0u, 0u, 0u, 0u}}

typedef uint32_t qiao_log_level;
#define QIAO_LOG_LEVEL_ERROR 1u
#define QIAO_LOG_LEVEL_WARNING 2u
#define QIAO_LOG_LEVEL_INFO 3u
#define QIAO_LOG_LEVEL_DEBUG 4u
/// No message: what a kernel printed. Goes out whatever level was asked for, and to stdout where there is no callback.
#define QIAO_LOG_LEVEL_OUTPUT 16u

#endif
