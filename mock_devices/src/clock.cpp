/* Calibrates ticks against the monotonic clock (a rough figure is enough for guesses), and sleeps. */
#include "clock.h"

#include "mock/card.h"

namespace mock {

void sleep_ns(uint64_t duration_ns) {
    const timespec duration{static_cast<time_t>(duration_ns / 1'000'000'000),
                            static_cast<long>(duration_ns % 1'000'000'000)};
    nanosleep(&duration, nullptr);
}

double ticks_per_us() {
    static const double rate = [] {
        const uint64_t start_ns = now_ns();
        const uint64_t start = ticks();
        uint64_t passed_ns = 0;
        while (passed_ns < 20'000)
            passed_ns = now_ns() - start_ns;
        const uint64_t passed = ticks() - start;
        return passed == 0 ? 1.0 : static_cast<double>(passed) * 1000.0 / static_cast<double>(passed_ns);
    }();
    return rate;
}

} // namespace mock
