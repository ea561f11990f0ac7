/* Level 0, "loadable": manifest, handshake, what devices say of themselves, opening and closing, memory, errors. Says every
 * finding and fails if there is one, or if a call does not return.
 *   level0 <plugin's id> <folder of its manifest> [--require-device] [--patience <seconds for each call>] */
#define _POSIX_C_SOURCE 200809L
#include <qiao/qiao.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_DEVICES 64u
#define ROUNDS 10
#define PATIENCE_NS UINT64_C(10000000000)

static int findings;

static void finding(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    printf("FINDING: ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    ++findings;
}

/* The call that is under way, for the watchdog. A device that hangs cannot be told apart from the plugin's call that does. */
static const char* volatile doing = "starting";
static unsigned patience = 60;
static char growl[64]; /* made beforehand: a signal handler may not print numbers */

static void begin(const char* call) {
    doing = call;
    alarm(patience);
}

static void say(const char* text) {
    if (write(STDOUT_FILENO, text, strlen(text)) < 0) _exit(1);
}

static void bark(int number) {
    (void)number;
    say(growl);
    say(doing);
    say("\nlevel 0: FAILED\n");
    _exit(1);
}

#define EXPECT(condition, ...) ((condition) ? (void)0 : finding(__VA_ARGS__))

/* The thread's last failure, in words. */
static const char* words(void) {
    static char text[1024];
    qiao_error error = QIAO_ERROR_INIT;
    qiao_error_query(&error);
    snprintf(text, sizeof(text), "%s: %s", qiao_status_get_name(error.status), error.message != NULL ? error.message : "");
    return text;
}

static qiao_instance* make_instance(const char* folder) {
    qiao_instance* instance = NULL;
    qiao_instance_desc desc = QIAO_INSTANCE_DESC_INIT;
    desc.plugin_path = folder;
    begin("qiao_instance_create (qiao_plugin_query, device_count, device_query)");
    if (qiao_instance_create(&desc, &instance) != QIAO_OK) finding("no instance: %s", words());
    return instance;
}

/* The plugin's entry in the ledger. */
static void test_ledger(qiao_instance* instance, const char* id) {
    uint32_t index = 0;
    qiao_candidate candidate = QIAO_CANDIDATE_INIT;
    for (; qiao_instance_query_candidate(instance, index, &candidate) == QIAO_OK; ++index) {
        if (strcmp(candidate.plugin, id) != 0) continue;
        printf("%s %s: %u devices. %s\n", candidate.plugin, candidate.version, candidate.device_count, candidate.reason);
        EXPECT(candidate.state == QIAO_CANDIDATE_STATE_USABLE || candidate.state == QIAO_CANDIDATE_STATE_NO_DEVICES,
               "the plugin is not usable (state %u): %s; %s", candidate.state, candidate.reason, candidate.remedy);
        EXPECT(candidate.state != QIAO_CANDIDATE_STATE_NO_DEVICES || candidate.reason[0] != '\0',
               "no device, and no reason for it: call host->error before device_count returns");
        EXPECT(candidate.state != QIAO_CANDIDATE_STATE_USABLE || candidate.reason[0] == '\0', "a device was left out: %s",
               candidate.reason);
        EXPECT(candidate.version[0] != '\0', "the plugin has no version");
        return;
    }
    finding("there is no manifest of '%s' in the folder", id);
}

static void test_properties(qiao_device* device) {
    qiao_device_properties about = QIAO_DEVICE_PROPERTIES_INIT;
    uint32_t axis = 0;
    if (qiao_device_query_properties(device, &about) != QIAO_OK) {
        finding("no properties: %s", words());
        return;
    }
    EXPECT(about.name[0] != '\0', "%s has no name", about.id);
    EXPECT(about.vendor[0] != '\0', "%s has no vendor", about.id);
    EXPECT(about.driver[0] != '\0', "%s does not say which driver it runs on", about.id);
    EXPECT(about.formats[0] != '\0', "%s takes programs of no format", about.id);
    EXPECT(about.memory_bytes > 0, "%s has no memory", about.id);
    EXPECT(about.max_allocation_bytes > 0 && about.max_allocation_bytes <= about.memory_bytes,
           "%s: max_allocation_bytes is %llu; it must be from 1 to memory_bytes", about.id,
           (unsigned long long)about.max_allocation_bytes);
    EXPECT((about.memory_kinds & (1u << QIAO_MEMORY_KIND_DEVICE)) != 0, "%s allocates no device memory", about.id);
    EXPECT(about.compute_units > 0, "%s: compute_units is 0", about.id);
    EXPECT(about.max_group_size > 0, "%s: max_group_size is 0", about.id);
    EXPECT(about.max_argument_bytes > 0 && about.max_argument_bytes <= QIAO_MAX_ARGUMENT_BYTES,
           "%s: max_argument_bytes is %u; it must be from 1 to %u", about.id, about.max_argument_bytes,
           QIAO_MAX_ARGUMENT_BYTES);
    for (; axis < 3; ++axis) {
        EXPECT(about.max_group[axis] > 0 && about.max_group[axis] <= about.max_group_size,
               "%s: max_group[%u] is %u; it must be from 1 to max_group_size", about.id, axis, about.max_group[axis]);
        EXPECT(about.max_group_count[axis] > 0, "%s: max_group_count[%u] is 0", about.id, axis);
    }
}

/* The first object made on a device opens it; a failure must come with words. */
static void test_opening(qiao_device* device) {
    qiao_queue* queue = NULL;
    qiao_memory* memory = NULL;
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    qiao_status status = QIAO_OK;
    begin("qiao_queue_create (device_open, queue_create)");
    status = qiao_queue_create(device, NULL, &queue);
    if (status != QIAO_OK) {
        finding("the device does not open: %s", words());
        return;
    }
    begin("qiao_device_synchronize");
    EXPECT(qiao_device_synchronize(device, PATIENCE_NS) == QIAO_OK, "an idle device has work: %s", words());
    desc.size_bytes = 4096;
    begin("qiao_memory_allocate (memory_allocate)");
    EXPECT(qiao_memory_allocate(device, &desc, &memory) == QIAO_OK, "4096 bytes are not allocated: %s", words());
    desc.size_bytes = UINT64_MAX;
    begin("qiao_memory_release (memory_free)");
    qiao_memory_release(memory);
    memory = NULL;
    EXPECT(qiao_memory_allocate(device, &desc, &memory) < 0 && memory == NULL, "an allocation of 2^64 - 1 bytes succeeded");
    begin("qiao_queue_release (queue_destroy)");
    EXPECT(qiao_queue_release(queue) == QIAO_OK, "the queue is not released: %s", words());
}

/* One life of the plugin; how many of its devices were tested. */
static uint32_t test_instance(const char* id, const char* folder) {
    qiao_device* devices[MAX_DEVICES];
    uint32_t count = 0, index = 0;
    qiao_instance* instance = make_instance(folder);
    if (instance == NULL) return 0;
    test_ledger(instance, id);
    qiao_instance_enumerate_devices(instance, MAX_DEVICES, devices, &count);
    for (; index < count && index < MAX_DEVICES; ++index) {
        test_properties(devices[index]);
        test_opening(devices[index]);
    }
    begin("qiao_instance_release (device_close, plugin_close)");
    EXPECT(qiao_instance_release(instance) == QIAO_OK, "the instance is not released: %s", words());
    return index;
}

static int usage(void) {
    fprintf(stderr, "usage: level0 <plugin's id> <folder of its manifest> [--require-device] [--patience <seconds>]\n");
    return 2;
}

int main(int argc, char** argv) {
    int round = 0, require_device = 0, at = 3;
    uint32_t devices = 0;
    for (; at < argc; ++at) {
        if (strcmp(argv[at], "--require-device") == 0) {
            require_device = 1;
        } else if (strcmp(argv[at], "--patience") == 0 && at + 1 < argc && atoi(argv[at + 1]) > 0) {
            patience = (unsigned)atoi(argv[++at]);
        } else {
            return usage();
        }
    }
    if (argc < 3) return usage();
    setvbuf(stdout, NULL, _IOLBF, 0); /* findings before a hang are not lost */
    snprintf(growl, sizeof(growl), "FINDING: no answer within %u s: ", patience);
    signal(SIGALRM, bark);
    /* More than once: a plugin must start again after plugin_close. */
    for (round = 0; round < ROUNDS && findings == 0; ++round) devices = test_instance(argv[1], argv[2]);
    if (require_device && devices == 0) finding("there is no device, and --require-device asks for one");
    printf(findings != 0    ? "level 0: FAILED in round %d\n"
           : devices == 0 ? "level 0: passed, %d rounds, but no device was tested\n"
                          : "level 0: passed, %d rounds\n",
           round);
    return findings == 0 ? 0 : 1;
}
