// What a queue that the core emulates costs over the plugin's own blocking call: the threads that have to be woken for a launch and
// its wait, counted as voluntary context switches of the process, and the time. A thread that was not asleep is not woken.
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "null_device.h"

namespace {

constexpr int kRounds = 200, kLaunches = 200;
// The worker is woken for the launch; who waits is not put to sleep for so short a kernel, which would make it two. The rest is for
// rounds in which the worker had to wait for a processor.
constexpr double kMostWakeUps = 1.5;

double seconds() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

long switches() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw;
}

}  // namespace

int main() {
    bench::ThroughQiao qiao;
    qiao_launch launch = QIAO_LAUNCH_INIT;
    launch.global_size[0] = 64;
    std::vector<double> wake_ups, nanoseconds;
    for (int round = 0; round < kRounds; ++round) {
        const long switches_before = switches();
        const double start = seconds();
        for (int i = 0; i < kLaunches; ++i) {
            uint64_t value = 0;
            bench::check(qiao_queue_launch(qiao.queue, qiao.kernel, &launch, &qiao.block, sizeof qiao.block, &value), "launch");
            bench::check(qiao_timeline_wait(qiao.timeline, value, QIAO_TIMEOUT_INFINITE), "wait");
        }
        nanoseconds.push_back((seconds() - start) * 1e9 / kLaunches);
        wake_ups.push_back(static_cast<double>(switches() - switches_before) / kLaunches);
    }
    std::sort(wake_ups.begin(), wake_ups.end());
    std::sort(nanoseconds.begin(), nanoseconds.end());
    std::printf("launch + wait, emulated queue, %d rounds of %d: wake-ups best %.2f, median %.2f; time p10 %.0f ns, median %.0f ns\n", kRounds, kLaunches,
                wake_ups.front(), wake_ups[kRounds / 2], nanoseconds[kRounds / 10], nanoseconds[kRounds / 2]);
    if (wake_ups[kRounds / 2] <= kMostWakeUps) return 0;
    std::printf("more than %.1f wake-ups in half of the rounds\n", kMostWakeUps);
    return 1;
}
