// Proof that a launch, and an allocation of a pool's, in steady state allocate nothing on the host and make no system call, so
// no futex call either: allocations are counted, and the calls run in a child whose system calls are forbidden by seccomp, on pain of SIGSYS.
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

void allocate_many(bench::ThroughQiao& qiao) {
    for (int i = 0; i < kLaunches; ++i) {
        for (const uint64_t size : {UINT64_C(1), UINT64_C(5000), UINT64_C(700'000), UINT64_C(3) << 20}) bench::allocate_and_free(qiao, size);
    }
}

struct Work {
    const char* name;
    void (*run)(bench::ThroughQiao&);
};
constexpr Work kWork[] = {{"launches", launch_many}, {"allocations of each size, and frees,", allocate_many}};

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

// Exit status 0 if the work made no system call; the instance lives in the child alone.
int run_without_system_calls(const Work& work, bool break_the_rule) {
    const pid_t child = fork();
    if (child == 0) {
        bench::ThroughQiao qiao;
        work.run(qiao);
        if (!forbid_system_calls()) _exit(77);
        work.run(qiao);
        if (break_the_rule) getppid();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) return 128 + WTERMSIG(status);
    return WEXITSTATUS(status);
}

bool is_steady(const Work& work) {
    const int without = run_without_system_calls(work, false);
    if (without != 0) {
        std::fprintf(stderr, "%d %s in steady state made a system call (status %d)\n", kLaunches, work.name, without);
        return false;
    }
    bench::ThroughQiao qiao;
    work.run(qiao);
    const uint64_t before = g_allocations.load();
    work.run(qiao);
    const uint64_t allocations = g_allocations.load() - before;
    if (allocations != 0) {
        std::fprintf(stderr, "%d %s in steady state made %llu allocations on the host\n", kLaunches, work.name, static_cast<unsigned long long>(allocations));
        return false;
    }
    std::printf("%d %s: no system call, no allocation\n", kLaunches, work.name);
    return true;
}

}  // namespace

int main() {
    const int with_call = run_without_system_calls(kWork[0], true);
    if (with_call != 128 + SIGSYS) {
        std::fprintf(stderr, "the check itself does not work: a forbidden system call gave %d, not SIGSYS\n", with_call);
        return 1;
    }
    bool are_steady = true;
    for (const Work& work : kWork) are_steady = is_steady(work) && are_steady;
    return are_steady ? 0 : 1;
}
