/* Status codes, one list for code, name and text, shared by applications and plugins; and the application's record of the
 * thread's last failure (a plugin reports its details through the host table instead). */
#ifndef QIAO_STATUS_H
#define QIAO_STATUS_H

#include "qiao/types.h"

/// 0 is success, above 0 "not an error, but not done", below 0 an error.
typedef int32_t qiao_status;

/* Append only; a number is never used again. */
#define QIAO_STATUS_MAP(X)                                                            \
    X(OK, 0, "success")                                                               \
    X(TIMEOUT, 1, "the time limit passed before the value was reached")               \
    X(NOT_READY, 2, "not reached yet")                                                \
    X(ERROR_INVALID_ARGUMENT, -1, "an argument is invalid")                           \
    X(ERROR_INVALID_HANDLE, -2, "a handle is null, stale, foreign or of another kind") \
    X(ERROR_OUT_OF_RANGE, -3, "a size, offset, index or address is out of range")     \
    X(ERROR_UNSUPPORTED, -4, "the device or plugin does not support this")            \
    X(ERROR_OUT_OF_MEMORY, -5, "out of memory")                                       \
    X(ERROR_NOT_FOUND, -6, "no such thing")                                           \
    X(ERROR_BUILD, -7, "the program could not be built")                              \
    X(ERROR_PACKAGE, -8, "the kernel package is damaged or of an unknown version")    \
    X(ERROR_DEVICE_LOST, -9, "the device is lost")                                    \
    X(ERROR_PLUGIN, -10, "the plugin or the vendor's runtime failed")                 \
    X(ERROR_FORKED, -11, "the handle belongs to the parent process of a fork")        \
    X(ERROR_IO, -12, "a file could not be read or written")                           \
    X(ERROR_CANCELLED, -13, "an earlier operation of the queue failed")               \
    X(ERROR_INTERNAL, -14, "a defect in Qiao")

#define QIAO_STATUS_ENUMERATOR(name, code, text) QIAO_##name = code,
enum { QIAO_STATUS_MAP(QIAO_STATUS_ENUMERATOR) };
#undef QIAO_STATUS_ENUMERATOR

/// The detail of this thread's last failed call. Strings are never null, and valid until the thread's next failing call.
typedef struct qiao_error {
    size_t struct_size;
    const void* next;
    qiao_status status;
    uint32_t line;           /* of the kernel's source, for QIAO_ERROR_BUILD; else 0 */
    int64_t vendor_code;     /* the vendor's own code; 0 = none */
    const char* message;     /* what was wrong, the value, the limit */
    const char* remedy;      /* what to do; "" = nothing to add */
    const char* object;      /* what it happened to: "kernel add", "mock:0"; "" = unknown */
    const char* plugin;      /* id of the plugin that failed; "" = the core */
    const char* vendor_text; /* the vendor's name of the code */
    const char* log;         /* build log; "" = none */
} qiao_error;
#define QIAO_ERROR_INIT {sizeof(qiao_error), NULL, QIAO_OK, 0u, 0, NULL, NULL, NULL, NULL, NULL, NULL}

/// Fills the caller's record with this thread's last failure; status QIAO_OK if there was none.
QIAO_API qiao_status qiao_error_query(qiao_error* out_error);

/// "QIAO_ERROR_NOT_FOUND" and its text; never null, also for unknown codes.
QIAO_API const char* qiao_status_get_name(qiao_status status);
QIAO_API const char* qiao_status_get_text(qiao_status status);

#endif
