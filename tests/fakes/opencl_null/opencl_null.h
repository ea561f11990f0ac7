/* The null OpenCL driver's own interface, for tests and benchmarks. The library serves directly as libOpenCL.so.1: name it in
 * QIAO_OPENCL_LIBRARY. Kernels do nothing; copies, fills and maps are real. Misuse is counted, not forgiven.
 *
 * Settings, separated by spaces, also read from the environment variable OPENCL_NULL at the first call:
 *   platforms=N devices=N     0 or more; default 1 each
 *   bad_platform              a first platform that cannot list its devices
 *   version=120|200|210|300   of platform and devices; default 300
 *   svm=none|coarse|fine      default fine; coarse memory cannot be touched by the host while it is not mapped
 *   usm                       cl_intel_unified_shared_memory
 *   il                        takes SPIR-V
 *   no_compiler               takes no source
 *   strict                    pointers given to kernels and copies are looked up (slow)
 *   manual                    operations end only in opencl_null_complete
 *   arm_printf                cl_arm_printf: contexts take a function for what kernels print
 *   unavailable               CL_DEVICE_AVAILABLE is false
 *   fail=FUNCTION:N:CODE      the N-th call from now of that function fails with that code
 * A source with the text #error fails to build; its log names the line. */
#ifndef OPENCL_NULL_H
#define OPENCL_NULL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Forgets all settings and counts (live objects stay what they are), then applies these. Returns 0 for a word it does not
 * know. */
int opencl_null_configure(const char* settings);
/* Changes settings, keeps counts. */
int opencl_null_change(const char* settings);

/* Alive: "events", "kernels", "programs", "contexts", "queues", "allocations", "maps". Calls: "launches", "arguments",
 * "markers", "flushes", "endless_waits" (clFinish and clWaitForEvents), "misuses". UINT64_MAX for another name. */
uint64_t opencl_null_count(const char* what);
/* What the first misuse was; "" = none. */
const char* opencl_null_misuse(void);

/* A kernel prints. Returns 0 if no context has a function for that. */
int opencl_null_print(const char* text);

/* With `manual`: ends the oldest so many operations of all queues, in the order of their submission; the last of them with
 * `code` (0 = well). Returns how many it ended. */
uint64_t opencl_null_complete(uint64_t operations, int code);

#ifdef __cplusplus
}
#endif
#endif
