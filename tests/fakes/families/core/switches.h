/* What the environment changes about a library: how many cards, quirks by name, and answers of single calls. Read once. */
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fakes {

/* In the order of README.md, where each is explained. */
enum class Quirk : uint8_t {
    kStrictMemory,
    kNoPeerCopies,
    kNoPeerAccess,
    kEarlyReuse,
    kSlowCopies,
    kOtherAttributes,
    kBigProperties,
    kNoManaged,
    kNoHostRegister,
    kNoPinned,
    kWrongWarp,
    kLazyImage,
    kStickyErrors,
    kCount_,
};

struct Switches {
    int devices = 2;
    uint64_t lost_after = 0; /* operations; 0 = never */
    uint32_t quirks = 0;     /* a bit each */
    std::string faults;      /* "Call=code;Call=hang" */
    bool has(Quirk quirk) const { return (quirks >> static_cast<unsigned>(quirk) & 1u) != 0; }
    /* The answer that the environment gives in place of the call's own; false = none. Does not return from "hang". */
    bool answer(std::string_view call, int& out_code) const;
};

/* Of the library; wrong values end the process with a message, since a test that misspells one would prove nothing. */
const Switches& switches();
inline bool has(Quirk quirk) {
    return switches().has(quirk);
}

} // namespace fakes
