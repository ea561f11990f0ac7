/* Programs and kernels. A program is made for one device from OpenCL C source or from a kernel package; the best variant
 * for the device is taken. Kernels belong to their program (borrowed, never released), are immutable, and may be launched
 * from any thread on any queue of the device. */
#ifndef QIAO_PROGRAM_H
#define QIAO_PROGRAM_H

#include "qiao/device.h"

typedef struct qiao_program qiao_program;
typedef struct qiao_kernel qiao_kernel;

typedef struct qiao_program_desc {
    size_t struct_size;
    const void* next; /* no extension is defined yet: null */
    const void* data; /* OpenCL C text or the bytes of a .qpk package; copied */
    uint64_t size_bytes;
    const char* name;    /* in messages: a file name; null = "program" */
    const char* options; /* for source: "-DN=4 -Iinclude"; null = none */
    uint64_t flags;      /* none defined yet: 0 */
} qiao_program_desc;
#define QIAO_PROGRAM_DESC_INIT {sizeof(qiao_program_desc), NULL, NULL, 0u, NULL, NULL, 0u}

/// Compiles OpenCL C 1.2 (results are kept in a disk cache). BUILD with the log and the line if it does not compile;
/// UNSUPPORTED if a tool is missing, naming the package to install.
QIAO_API qiao_status qiao_program_create_from_source(qiao_device* device, const qiao_program_desc* desc,
                                                     qiao_program** out_program);
/// Loads the best variant of a package; if none fits, the package's source is compiled for the device. PACKAGE if it is damaged;
/// UNSUPPORTED if there is nothing for the device, with the reason of each variant.
QIAO_API qiao_status qiao_program_create_from_package(qiao_device* device, const qiao_program_desc* desc,
                                                      qiao_program** out_program);
/// The same from a file, which is mapped and not copied: replace it, but do not write to it while the program lives. IO if it cannot
/// be read.
QIAO_API qiao_status qiao_program_create_from_package_file(qiao_device* device, const char* path, qiao_program** out_program);
QIAO_API qiao_status qiao_program_retain(qiao_program* program);
/// Never waits: what queued launches need is unloaded when they have ended. Null is ignored.
QIAO_API qiao_status qiao_program_release(qiao_program* program);

/// The variant that was taken. Strings live as long as the program.
typedef struct qiao_program_properties {
    size_t struct_size;
    const void* next;
    const char* format;
    const char* target;
    const char* tool;
    const char* log; /* warnings of the compilers; "" = none */
    uint32_t kernel_count;
    uint32_t score;
    const char* selection; /* a line for each variant of the package: taken, or why not */
} qiao_program_properties;
#define QIAO_PROGRAM_PROPERTIES_INIT {sizeof(qiao_program_properties), NULL, NULL, NULL, NULL, NULL, 0u, 0u, NULL}

QIAO_API qiao_status qiao_program_query(qiao_program* program, qiao_program_properties* out_properties);
/// Kernel `index`, in the order of the source; NOT_FOUND at the end.
QIAO_API qiao_status qiao_program_get_kernel_at(qiao_program* program, uint32_t index, qiao_kernel** out_kernel);
/// Fails with NOT_FOUND; the message lists the names that exist.
QIAO_API qiao_status qiao_program_get_kernel(qiao_program* program, const char* name, qiao_kernel** out_kernel);

typedef uint32_t qiao_verdict;
#define QIAO_VERDICT_TAKEN 0u
#define QIAO_VERDICT_WORSE 1u   /* would do, but another is better */
#define QIAO_VERDICT_REFUSED 2u
#define QIAO_VERDICT_DAMAGED 3u /* would perhaps do, but its bytes are not what they were: the package cannot be loaded */

/// What a device makes of one variant of a package.
typedef struct qiao_variant {
    size_t struct_size;
    const void* next;
    const char* format;
    const char* target; /* "" = any */
    const char* tool;
    const char* reason; /* why not taken; "" if it is */
    qiao_features features; /* that it needs */
    qiao_verdict verdict;
    uint32_t score; /* 0 unless TAKEN or WORSE */
} qiao_variant;
#define QIAO_VARIANT_INIT {sizeof(qiao_variant), NULL, NULL, NULL, NULL, NULL, 0u, 0u, 0u}
typedef void (*qiao_variant_callback)(void* user, const qiao_variant* variant);

/// Calls back for each variant of a package, in its order, before it returns; loads and compiles nothing. Strings live during the
/// callback. OK also if none fits.
QIAO_API qiao_status qiao_program_explain(qiao_device* device, const qiao_program_desc* desc, qiao_variant_callback callback, void* user);

#define QIAO_KERNEL_GLOBAL_OFFSET (UINT64_C(1) << 0) /* a global offset may be given */
#define QIAO_KERNEL_REMAINDER (UINT64_C(1) << 1)     /* the group size need not divide the global size */

/// Strings live as long as the program.
typedef struct qiao_kernel_properties {
    size_t struct_size;
    const void* next;
    const char* name;
    uint64_t flags;
    qiao_features features;
    uint32_t argument_count;
    uint32_t block_size; /* bytes that a launch takes: values, addresses, then local byte counts */
    uint32_t required_group[3]; /* zero = none */
    uint32_t max_group_size;
    uint32_t preferred_group_multiple;
    uint32_t static_local_bytes;
    uint32_t private_bytes; /* per work-item; 0 = unknown */
    uint32_t reserved0;
} qiao_kernel_properties;
#define QIAO_KERNEL_PROPERTIES_INIT {sizeof(qiao_kernel_properties), NULL, NULL, 0u, 0u, 0u, 0u, {0u, 0u, 0u}, 0u, 0u, 0u, 0u, 0u}

QIAO_API qiao_status qiao_kernel_query(qiao_kernel* kernel, qiao_kernel_properties* out_properties);

/// One parameter of a kernel and its place in the packed argument block.
typedef struct qiao_kernel_argument {
    size_t struct_size;
    const void* next;
    const char* name;
    const char* type; /* as in the source: "float*", "int4", "struct params" */
    qiao_argument_kind kind;
    qiao_access access;
    uint32_t offset; /* of the value; of a LOCAL argument: of its uint32_t byte count */
    uint32_t size_bytes;
    uint32_t alignment;
    uint32_t reserved0;
} qiao_kernel_argument;
#define QIAO_KERNEL_ARGUMENT_INIT {sizeof(qiao_kernel_argument), NULL, NULL, NULL, 0u, 0u, 0u, 0u, 0u, 0u}

/// NOT_FOUND at the end of the list.
QIAO_API qiao_status qiao_kernel_query_argument(qiao_kernel* kernel, uint32_t index, qiao_kernel_argument* out_argument);

#endif
