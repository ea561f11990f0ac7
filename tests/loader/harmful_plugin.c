/* A discovery plugin with one device that does harm: the build defines HARM, a function below, and AT_<PLACE>, where it does it.
 * Each process that loads it adds its number to the file that HARMFUL_TRACE names. Its id is the manifest's. */
#define _DEFAULT_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include "loader/fixture.h"

#define PROBE_FILE 3 /* where qiao-probe reports */

static void leave_trace(void);

static inline void crash(void) {
    *(volatile int*)8 = 1;
}
static inline void overflow(void) {
    volatile char frame[4096] = {1};
    if (frame[0] == 1) overflow();
    frame[1] = frame[0];
}
static inline void give_up(void) {
    abort();
}
static inline void hang(void) {
    for (;;)
        pause();
}
static inline void spin(void) {
    for (volatile int i = 0;; ++i) {
    }
}
static inline void leave(void) {
    exit(0);
}
static inline void leave_at_once(void) {
    _exit(77);
}
static inline void be_killed(void) {
    raise(SIGKILL);
}
/* Bytes that are no report, more than anyone wants to keep. */
static inline void talk(void) {
    char junk[4096];
    memset(junk, 0x89, sizeof(junk));
    for (int i = 0; i < 100; ++i) {
        if (write(PROBE_FILE, junk, sizeof(junk)) < 0) break;
    }
}
static inline void shut_all(void) {
    for (int file = 0; file < 64; ++file)
        close(file);
}
/* A process that outlives its parent and holds all its files; its number goes to the trace. */
static inline void descend(void) {
    if (fork() == 0) {
        leave_trace();
        for (;;)
            pause();
    }
}
static inline void nothing(void) {}

/* "p<number>\n" of this process. */
static void leave_trace(void) {
    const char* path = getenv("HARMFUL_TRACE");
    char line[32];
    const int length = snprintf(line, sizeof(line), "p%ld\n", (long)getpid());
    const int file = path == NULL ? -1 : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return;
    if (write(file, line, (size_t)length) != length) abort();
    close(file);
}

__attribute__((constructor)) static void loaded(void) {
    leave_trace();
#ifdef AT_LOAD
    HARM();
#endif
}

#ifdef AT_UNLOAD
__attribute__((destructor)) static void unloaded(void) {
    HARM();
}
#endif

static qiao_status harmful_device_count(void* plugin, uint32_t* out_count) {
    (void)plugin;
#ifdef AT_COUNT
    HARM();
#endif
    *out_count = 1;
    return QIAO_OK;
}

static qiao_status harmful_device_query(void* plugin, uint32_t index, qiao_plugin_device_info* out_info) {
    (void)plugin, (void)index;
#ifdef AT_DEVICE
    HARM();
#endif
    strcpy(out_info->name, "harmful");
    return QIAO_OK;
}

static void harmful_plugin_close(void* plugin) {
    (void)plugin;
#ifdef AT_CLOSE
    HARM();
#endif
}

static const qiao_plugin_device_ops device_ops = {
    .struct_size = sizeof(device_ops), .device_count = harmful_device_count, .device_query = harmful_device_query};
static const qiao_plugin_tables tables = {.struct_size = sizeof(tables), .device = &device_ops};

QIAO_EXPORT qiao_status qiao_plugin_query(const qiao_host_api* host, qiao_plugin_info* out_info) {
    static char id[64];
    fixture_id(host, id, sizeof(id), "harmful");
#ifdef AT_QUERY
    HARM();
#endif
    out_info->abi_major = QIAO_PLUGIN_ABI_MAJOR;
    out_info->roles = QIAO_PLUGIN_ROLE_DISCOVERY;
    out_info->id = id;
    out_info->version = "1.0";
    out_info->tables = &tables;
    out_info->plugin_close = harmful_plugin_close;
    return QIAO_OK;
}
