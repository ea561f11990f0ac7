// What sharing costs: a signal to another process and back, and memory made, mapped and imported. The figures are read by people.
#include <qiao/qiao.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

constexpr uint64_t kMebi = 1 << 20;

void check(qiao_status status) {
    if (status == QIAO_OK) return;
    qiao_error error = QIAO_ERROR_INIT;
    qiao_error_query(&error);
    std::fprintf(stderr, "%s: %s\n", qiao_status_get_name(status), error.message);
    std::_Exit(1);
}

double now_ns() {
    return static_cast<double>(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

template <class Body>
void report(const char* what, int rounds, Body&& body) {
    std::vector<double> times;
    for (int round = 0; round < rounds; ++round) times.push_back(body());
    std::sort(times.begin(), times.end());
    std::printf("%-58s %12.0f ns median, %12.0f least, %d runs\n", what, times[times.size() / 2], times.front(), rounds);
}

// Beside each other where there are two processors: one that has just slept would else be put where the other one runs.
void run_on(int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof set, &set);
}

qiao_instance* make_instance() {
    qiao_instance* instance = nullptr;
    check(qiao_instance_create(nullptr, &instance));
    return instance;
}

// To the child of the same user, which may open what the parent has open.
struct Message {
    qiao_share_handle handle;
    int process, descriptor;
};

// The parent raises to odd values, the child, forked before Qiao is used, to even ones.
void answer(int from, uint64_t last) {
    Message message;
    if (read(from, &message, sizeof message) != sizeof message) std::_Exit(1);
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%d/fd/%d", message.process, message.descriptor);
    std::FILE* file = std::fopen(path, "r+");
    if (file == nullptr) std::_Exit(1);
    run_on(1);
    qiao_instance* instance = make_instance();
    qiao_timeline* timeline = nullptr;
    check(qiao_timeline_import(instance, &message.handle, fileno(file), &timeline));
    for (uint64_t value = 1; value < last; value += 2) {
        check(qiao_timeline_wait(timeline, value, QIAO_TIMEOUT_INFINITE));
        check(qiao_timeline_signal(timeline, value + 1));
    }
    check(qiao_timeline_release(timeline));
    std::_Exit(0);
}

void signal_there_and_back(uint64_t rounds) {
    int ends[2];
    if (pipe(ends) != 0) std::exit(1);
    if (fork() == 0) answer(ends[0], 2 * rounds);
    run_on(0);
    qiao_instance* instance = make_instance();
    qiao_timeline* timeline = nullptr;
    Message message = {};
    check(qiao_timeline_create_shareable(instance, 0, &timeline));
    int32_t descriptor = -1;
    check(qiao_timeline_export(timeline, &message.handle, &descriptor));
    message.process = getpid();
    message.descriptor = descriptor;
    if (write(ends[1], &message, sizeof message) != sizeof message) std::exit(1);
    const auto turn = [&](uint64_t value) {
        check(qiao_timeline_signal(timeline, value));
        check(qiao_timeline_wait(timeline, value + 1, QIAO_TIMEOUT_INFINITE));
    };
    turn(1);
    std::vector<double> times;
    for (uint64_t value = 3; value < 2 * rounds; value += 2) {
        const double start = now_ns();
        turn(value);
        times.push_back(now_ns() - start);
    }
    std::sort(times.begin(), times.end());
    std::printf("%-58s %12.0f ns median, %12.0f least, %zu runs\n", "a signal to another process and back", times[times.size() / 2], times.front(), times.size());
    check(qiao_timeline_release(timeline));
    check(qiao_instance_release(instance));
    wait(nullptr);
}

void memory(const char* selector, int rounds) {
    qiao_instance* instance = make_instance();
    qiao_device* device = nullptr;
    check(qiao_instance_find_device(instance, selector, &device));
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    desc.size_bytes = 64 * kMebi;
    desc.kind = QIAO_MEMORY_KIND_HOST;
    desc.flags = QIAO_MEMORY_SHAREABLE;
    qiao_memory* memory = nullptr;
    check(qiao_memory_allocate(device, &desc, &memory));
    check(qiao_memory_release(memory));
    std::printf("%s\n", selector);
    report("  64 MiB of shareable memory: made and released, untouched", rounds, [&] {
        const double start = now_ns();
        check(qiao_memory_allocate(device, &desc, &memory));
        check(qiao_memory_release(memory));
        return now_ns() - start;
    });
    void* pages = mmap(nullptr, desc.size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    report("  64 MiB of the application's: imported and released", rounds, [&] {
        const double start = now_ns();
        check(qiao_memory_import_host(device, pages, desc.size_bytes, 0, &memory));
        check(qiao_memory_release(memory));
        return now_ns() - start;
    });
    report("  64 MiB copied by the host, for comparison", rounds, [&, target = std::vector<char>(desc.size_bytes)]() mutable {
        const double start = now_ns();
        std::memcpy(target.data(), pages, desc.size_bytes);
        return now_ns() - start;
    });
    munmap(pages, desc.size_bytes);
    check(qiao_instance_release(instance));
}

}  // namespace

// share_times ROUNDS [DEVICE]...
int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 100;
    signal_there_and_back(static_cast<uint64_t>(rounds) * 100);
    for (int i = 2; i < argc; ++i) memory(argv[i], rounds);
    return 0;
}
