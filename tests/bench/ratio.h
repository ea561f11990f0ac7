// Time of the same work by two sides, interleaved round by round in one process: raw, Qiao, raw again. The ratio of the two
// raw runs says what the machine's noise alone does; a result is inconclusive where that is not close to 1.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <vector>

namespace bench {

inline double seconds(const std::function<void()>& work, int repeat) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < repeat; ++i) work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline double percentile(std::vector<double> values, double fraction) {
    std::sort(values.begin(), values.end());
    return values[static_cast<size_t>(fraction * static_cast<double>(values.size() - 1))];
}

inline void compare(const char* name, int rounds, int repeat, const std::function<void()>& raw, const std::function<void()>& qiao) {
    std::vector<double> ratios, control, raw_times, qiao_times;
    for (int round = -rounds / 10; round < rounds; ++round) {  // the first tenth warms up
        const double first = seconds(raw, repeat), ours = seconds(qiao, repeat), again = seconds(raw, repeat);
        if (round < 0) continue;
        raw_times.push_back(first / repeat);
        qiao_times.push_back(ours / repeat);
        ratios.push_back(2 * ours / (first + again));
        control.push_back(again / first);
    }
    std::printf("%-22s raw %10.2f us, Qiao %10.2f us (medians); Qiao/raw p10 %.3f median %.3f p90 %.3f; raw/raw p10 %.3f median %.3f; %d rounds of %d\n",
                name, percentile(raw_times, 0.5) * 1e6, percentile(qiao_times, 0.5) * 1e6, percentile(ratios, 0.1), percentile(ratios, 0.5),
                percentile(ratios, 0.9), percentile(control, 0.1), percentile(control, 0.5), rounds, repeat);
}

}  // namespace bench
