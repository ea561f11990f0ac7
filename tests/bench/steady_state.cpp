// Proof that a launch in steady state allocates nothing and makes no system call, so no futex call either: allocations
// are counted, and the launches run in a child whose system calls are forbidden by seccomp, on pain of SIGSYS.
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "null_device.h"

extern "C" void* __libc_malloc(size_t size);
static std::atomic<uint64_t> g_allocations{0};

// Takes the place of the C library's for this program and every library in it.
extern "C" void* malloc(size_t size) {
    g_allocations.fetch_add(1, std::memory_order_relaxed);
    return __libc_malloc(size);
}

namespace {

constexpr int kLaunches = 10'000;

void launch_many(bench::ThroughQiao& qiao) {
    qiao_launch launch = QIAO_LAUNCH_INIT;
    launch.global_size[0] = 64;
    launch.group_size[0] = 4;
    uint64_t value = 0;
    for (int i = 0; i < kLaunches; ++i) {
        qiao.block.count = static_cast<uint32_t>(i);
        bench::check(qiao_queue_launch(qiao.queue, qiao.kernel, &launch, &qiao.block, sizeof qiao.block, &value), "launch");
        bench::check(qiao_timeline_reached(qiao.timeline, value), "reached");
    }
}

bool forbid_system_calls() {
    sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    sock_fprog program = {sizeof code / sizeof *code, code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// Exit status 0 if the launches made no system call; the instance lives in the child alone.
int launch_without_system_calls(bool break_the_rule) {
    const pid_t child = fork();
    if (child == 0) {
        bench::ThroughQiao qiao;
        launch_many(qiao);
        if (!forbid_system_calls()) _exit(77);
        launch_many(qiao);
        if (break_the_rule) getppid();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) return 128 + WTERMSIG(status);
    return WEXITSTATUS(status);
}

}  // namespace

int main() {
    const int with_call = launch_without_system_calls(true);
    if (with_call != 128 + SIGSYS) {
        std::fprintf(stderr, "the check itself does not work: a forbidden system call gave %d, not SIGSYS\n", with_call);
        return 1;
    }
    const int without = launch_without_system_calls(false);
    if (without != 0) {
        std::fprintf(stderr, "%d launches in steady state made a system call (status %d)\n", kLaunches, without);
        return 1;
    }
    bench::ThroughQiao qiao;
    launch_many(qiao);
    const uint64_t before = g_allocations.load();
    launch_many(qiao);
    const uint64_t allocations = g_allocations.load() - before;
    if (allocations != 0) {
        std::fprintf(stderr, "%d launches in steady state made %llu allocations\n", kLaunches, static_cast<unsigned long long>(allocations));
        return 1;
    }
    std::printf("%d launches: no system call, no allocation\n", kLaunches);
    return 0;
}
