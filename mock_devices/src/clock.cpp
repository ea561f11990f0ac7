/* Calibrates ticks against the monotonic clock; a rough figure is enough for guesses. */
#include "clock.h"

namespace mock {

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
