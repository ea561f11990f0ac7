/* The kernel compiler (libqiao_compiler): OpenCL C source in, a kernel package (.qpk) out. The library is opened when
 * something is compiled for the first time and its functions are looked up by name, hence the _fn types; it runs its
 * tools (clang, poclcc) as child processes, so no compiler ever lives in the application's process.
 *
 *     qiao_compiler_desc desc = QIAO_COMPILER_DESC_INIT;
 *     desc.source = text; desc.source_size = strlen(text); desc.source_name = "scale.cl";
 *     qiao_compiler_output* output;
 *     qiao_status status = qiao_compiler_compile(&desc, &output);
 *     qiao_compiler_result result = QIAO_COMPILER_RESULT_INIT;
 *     qiao_compiler_output_query(output, &result);  // the package, or message, remedy, log and line
 *     qiao_compiler_output_release(output);
 *
 * All functions may be called from any thread at the same time. */
#ifndef QIAO_COMPILER_H
#define QIAO_COMPILER_H

#include "qiao/status.h"

/* What dlopen wants: the number changes when an existing caller would stop working. */
#define QIAO_COMPILER_LIBRARY "libqiao_compiler.so.0"

/// Neither look into the disk cache nor write to it.
#define QIAO_COMPILER_NO_CACHE (UINT64_C(1) << 0)
/// Leave out formats that cannot be made (a missing tool, a feature the format has not) and say so in the log, instead of
/// failing. The package always has the source.
#define QIAO_COMPILER_BEST_EFFORT (UINT64_C(1) << 1)
/// Of host-elf only the variant for the processor that this runs on, not one for each level: for programs that are not kept.
#define QIAO_COMPILER_THIS_PROCESSOR (UINT64_C(1) << 2)

/// What to compile. G (growing: struct_size and next first). All strings are NUL-terminated and read during the call only.
typedef struct qiao_compiler_desc {
    size_t struct_size;
    const void* next;            /* null: no extension is defined yet */
    const char* source;          /* OpenCL C */
    uint64_t source_size;        /* bytes, without a terminator */
    const char* source_name;     /* what diagnostics call it, and whose directory #include "..." starts from; null = "kernel.cl" */
    const char* options;         /* "-DN=4 -I inc -cl-fast-relaxed-math"; quotes and backslashes as in a shell; null = none */
    const char* formats;         /* variants wanted, separated by ";": "opencl-c+offset", "spirv-opencl", "spirv-vulkan", "spirv-vulkan+offset",
                                    "host-elf", "ptx", "amdgcn", or "all"; null = what is there anyway */
    const char* cache_directory; /* null = $XDG_CACHE_HOME/qiao, else ~/.cache/qiao */
    uint64_t time_limit_ns;      /* for all tools together; 0 = 120 seconds */
    uint64_t flags;              /* QIAO_COMPILER_... */
    const char* required_formats; /* as formats: wanted, and never left out, not even with BEST_EFFORT; null = none */
} qiao_compiler_desc;
#define QIAO_COMPILER_DESC_INIT {sizeof(qiao_compiler_desc), NULL, NULL, 0u, NULL, NULL, NULL, NULL, 0u, 0u, NULL}

/// What one call produced: made by compile or check, owned by the caller.
typedef struct qiao_compiler_output qiao_compiler_output;

/// What is in an output. G; filled by query up to struct_size. Pointers live as long as the output and are never null
/// except `package` on failure.
typedef struct qiao_compiler_result {
    size_t struct_size;
    const void* next;
    const void* package; /* the bytes of the .qpk; null on failure */
    uint64_t package_size;
    const char* log;     /* warnings and errors of the tools, with the source's own names and lines; "" = none */
    const char* message; /* on failure: what was wrong; else "" */
    const char* remedy;  /* on failure: what to do; else "" */
    qiao_status status;  /* what the call returned */
    uint32_t line;       /* of the first error, in the file `log` names; 0 = none */
    uint32_t from_cache; /* 1 = nothing was compiled */
    uint32_t reserved0;
    const char* included; /* names of the #include'd files that are in the package, each ended by a newline; "" on failure */
} qiao_compiler_result;
#define QIAO_COMPILER_RESULT_INIT {sizeof(qiao_compiler_result), NULL, NULL, 0u, NULL, NULL, NULL, 0, 0u, 0u, 0u, NULL}

#ifdef __cplusplus
#define QIAO_COMPILER_NOEXCEPT noexcept
#else
#define QIAO_COMPILER_NOEXCEPT
#endif

/// Compiles into one package with the manifest, the source as "opencl-c" and, where the kernels allow, "opencl-c+offset"
/// (hal/docs/addresses.md), and the wanted variants.
/// Also sets *out_output on failure (it then holds message, remedy, log and line), except when out of memory or when
/// out_output is null. ERROR_BUILD: the source is wrong. ERROR_UNSUPPORTED: a format is unknown, the kernel uses what
/// Qiao has not (images, pipes), or a tool is missing (the remedy names the package to install).
/// TIMEOUT: the time limit passed.
QIAO_API qiao_status qiao_compiler_compile(const qiao_compiler_desc* desc,
                                           qiao_compiler_output** out_output) QIAO_COMPILER_NOEXCEPT;

/// Says whether the formats can be made here: OK with the tools and their versions in `log`, one a line, or
/// ERROR_UNSUPPORTED with message and remedy. Compiles nothing. `formats` null = what every installation makes:
/// "opencl-c;host-elf".
QIAO_API qiao_status qiao_compiler_check(const char* formats, qiao_compiler_output** out_output) QIAO_COMPILER_NOEXCEPT;

/// The formats that can be asked for, ";" between, each for a check of its own: what "all" stands for. A constant.
QIAO_API const char* qiao_compiler_get_formats(void) QIAO_COMPILER_NOEXCEPT;

/// Fills the caller's struct; set its struct_size first.
QIAO_API qiao_status qiao_compiler_output_query(const qiao_compiler_output* output,
                                                qiao_compiler_result* out_result) QIAO_COMPILER_NOEXCEPT;

/// Null is allowed.
QIAO_API void qiao_compiler_output_release(qiao_compiler_output* output) QIAO_COMPILER_NOEXCEPT;

/* For callers that look the functions up with dlsym. */
typedef qiao_status (*qiao_compiler_compile_fn)(const qiao_compiler_desc*, qiao_compiler_output**);
typedef qiao_status (*qiao_compiler_check_fn)(const char*, qiao_compiler_output**);
typedef const char* (*qiao_compiler_get_formats_fn)(void);
typedef qiao_status (*qiao_compiler_output_query_fn)(const qiao_compiler_output*, qiao_compiler_result*);
typedef void (*qiao_compiler_output_release_fn)(qiao_compiler_output*);

#endif
