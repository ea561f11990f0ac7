#include "core/switches.h"

#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "core/family.h"

namespace fakes {
namespace {

constexpr std::string_view kQuirkNames[] = {
    "strict-memory",  "no-peer-copies", "no-peer-access",   "early-reuse", "slow-copies", "other-attributes",
    "big-properties", "no-managed",     "no-host-register", "no-pinned",   "wrong-warp",  "lazy-image",
    "sticky-errors",
};
static_assert(std::size(kQuirkNames) == static_cast<size_t>(Quirk::kCount_));

std::string variable(const char* what) {
    return std::string("FAKE_") + family().id + "_" + what;
}

std::string value_of(const char* what) {
    const char* value = std::getenv(variable(what).c_str());
    return value != nullptr ? value : "";
}

[[noreturn]] void refuse(const char* what, std::string_view value, const char* must) {
    std::fprintf(stderr, "%s: '%.*s' %s\n", variable(what).c_str(), static_cast<int>(value.size()), value.data(), must);
    std::_Exit(70);
}

template <class Number>
void read_number(const char* what, Number least, Number most, Number& out) {
    const std::string text = value_of(what);
    if (text.empty()) return;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || end != text.data() + text.size() || out < least || out > most)
        refuse(what, text, "is not one of the numbers that README.md allows");
}

uint32_t read_quirks() {
    const std::string text = value_of("QUIRKS");
    uint32_t quirks = 0;
    for (std::string_view rest = text; !rest.empty();) {
        const std::string_view name = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), name.size() + 1));
        size_t index = 0;
        while (index < std::size(kQuirkNames) && kQuirkNames[index] != name)
            ++index;
        if (index == std::size(kQuirkNames)) refuse("QUIRKS", name, "is no quirk of README.md");
        quirks |= 1u << index;
    }
    return quirks;
}

} // namespace

bool Switches::answer(std::string_view call, int& out_code) const {
    for (std::string_view rest = faults; !rest.empty();) {
        const std::string_view rule = rest.substr(0, rest.find(';'));
        rest.remove_prefix(std::min(rest.size(), rule.size() + 1));
        const size_t equals = rule.find('=');
        if (equals == rule.npos) refuse("FAULTS", rule, "is not CALL=CODE or CALL=hang");
        if (rule.substr(0, equals) != call) continue;
        const std::string_view effect = rule.substr(equals + 1);
        while (effect == "hang")
            pause();
        const auto [end, error] = std::from_chars(effect.data(), effect.data() + effect.size(), out_code);
        if (error != std::errc() || end != effect.data() + effect.size()) refuse("FAULTS", rule, "is not CALL=CODE or CALL=hang");
        return true;
    }
    return false;
}

const Switches& switches() {
    static const Switches read = [] {
        Switches made;
        read_number("DEVICES", 0, 1000, made.devices);
        read_number<uint64_t>("LOST_AFTER", 0, UINT64_MAX, made.lost_after);
        made.quirks = read_quirks();
        made.faults = value_of("FAULTS");
        return made;
    }();
    return read;
}

} // namespace fakes
