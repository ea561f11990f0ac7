/* How long a card's work takes by its profile: figures, each with what it rests on, and the sums made from them. Only a
 * virtual clock goes by it; on the host's clock work takes as long as it takes. */
#pragma once

#include <cstdint>
#include <string_view>

namespace mock {

/* Best first. */
enum class Grade : uint8_t {
    kVerified,   /* read in public source, or measured */
    kSecondHand, /* quoted by somebody else */
    kInferred,   /* computed from other facts */
    kRemembered, /* a lead only */
    kAssumed,    /* chosen: says nothing of any real card */
};

std::string_view grade_name(Grade grade);

struct Figure {
    uint64_t value = 0;
    Grade grade = Grade::kAssumed;
};

/* A copy's ends, as seen from the card that makes it. */
enum class Direction : uint8_t { kToCard, kFromCard, kInside };

struct Timing {
    Figure launch_latency_ns{5'000};
    Figure copy_latency_ns{5'000}; /* of fills too */
    Figure host_to_card_bytes_per_s{16'000'000'000};
    Figure card_to_host_bytes_per_s{16'000'000'000};
    Figure card_bytes_per_s{256'000'000'000}; /* inside the card: copies and fills */
    Figure group_ns{100};                     /* of each work-group: what the card as a whole takes for it */
    Figure item_ps{100};                      /* of each work-item, in picoseconds */

    /* Nanoseconds, rounded up; at most kLongestNs. */
    static constexpr uint64_t kLongestNs = uint64_t{1} << 60;
    uint64_t launch_ns(uint64_t groups, uint64_t items) const;
    uint64_t copy_ns(uint64_t bytes, Direction direction) const;
    Grade weakest() const;
};

} // namespace mock
