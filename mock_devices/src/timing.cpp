/* Sums in 128 bits: figures and counts are the user's. */
#include "mock/timing.h"

#include <algorithm>

namespace mock {
namespace {

__extension__ typedef unsigned __int128 Wide;

uint64_t limited(Wide ns) {
    return ns < Timing::kLongestNs ? static_cast<uint64_t>(ns) : Timing::kLongestNs;
}

Wide divided_up(Wide value, uint64_t divisor) {
    return (value + divisor - 1) / divisor;
}

} // namespace

std::string_view grade_name(Grade grade) {
    static constexpr std::string_view kNames[] = {"verified", "second-hand", "inferred", "remembered", "assumed"};
    return kNames[static_cast<size_t>(grade)];
}

uint64_t Timing::launch_ns(uint64_t groups, uint64_t items) const {
    return limited(launch_latency_ns.value + Wide{groups} * group_ns.value +
                   divided_up(Wide{items} * item_ps.value, 1000));
}

uint64_t Timing::copy_ns(uint64_t bytes, Direction direction) const {
    const Figure& bandwidth = direction == Direction::kToCard     ? host_to_card_bytes_per_s
                              : direction == Direction::kFromCard ? card_to_host_bytes_per_s
                                                                  : card_bytes_per_s;
    return limited(copy_latency_ns.value + divided_up(Wide{bytes} * 1'000'000'000, bandwidth.value));
}

Grade Timing::weakest() const {
    return std::max({launch_latency_ns.grade, copy_latency_ns.grade, host_to_card_bytes_per_s.grade,
                     card_to_host_bytes_per_s.grade, card_bytes_per_s.grade, group_ns.grade, item_ps.grade});
}

} // namespace mock
