/* The one list of calls with what can happen to each, the grammar of rules, and counting. */
#include "mock/faults.h"

#include <array>
#include <charconv>

namespace mock {
namespace {

/* What is possible beside delay, which always is. */
enum Possible : unsigned {
    kFails = 1,    /* has a status: error */
    kAnswers = 2,  /* gives something back, or does something that can be left undone: corrupt */
    kSubmits = 4,  /* stall */
    kOfACard = 8,  /* hang, lost, reset, removed */
};

struct CallInfo {
    Call call;
    std::string_view name;
    unsigned possible;
};

constexpr unsigned kPlain = kFails | kOfACard;
constexpr CallInfo kCalls[] = {
    {Call::kDeviceCount, "device_count", kFails | kAnswers},
    {Call::kDeviceQuery, "device_query", kFails | kAnswers},
    {Call::kDeviceOpen, "device_open", kPlain | kAnswers},
    {Call::kDeviceClose, "device_close", kOfACard},
    {Call::kDeviceSynchronize, "device_synchronize", kPlain},
    {Call::kDeviceState, "device_state", kPlain | kAnswers},
    {Call::kDeviceReset, "device_reset", kPlain},
    {Call::kDeviceMemoryFree, "device_memory_free", kPlain | kAnswers},
    {Call::kDeviceClock, "device_clock", kPlain | kAnswers},
    {Call::kMemoryAllocate, "memory_allocate", kPlain | kAnswers},
    {Call::kMemoryFree, "memory_free", kOfACard},
    {Call::kMemoryWrite, "memory_write", kPlain | kAnswers},
    {Call::kMemoryRead, "memory_read", kPlain | kAnswers},
    {Call::kMemoryMap, "memory_map", kPlain | kAnswers},
    {Call::kMemoryUnmap, "memory_unmap", kPlain},
    {Call::kMemoryImport, "memory_import", kPlain | kAnswers},
    {Call::kMemoryEvict, "memory_evict", kPlain},
    {Call::kMemoryRestore, "memory_restore", kPlain},
    {Call::kProgramLoad, "program_load", kPlain | kAnswers},
    {Call::kProgramUnload, "program_unload", kOfACard},
    {Call::kKernelFind, "kernel_find", kPlain | kAnswers},
    {Call::kKernelLaunch, "kernel_launch", kPlain | kAnswers},
    {Call::kProgramScore, "program_score", kPlain | kAnswers},
    {Call::kQueueCreate, "queue_create", kPlain | kAnswers},
    {Call::kQueueDestroy, "queue_destroy", kOfACard},
    {Call::kQueueLaunch, "queue_launch", kPlain | kAnswers | kSubmits},
    {Call::kQueueCopy, "queue_copy", kPlain | kAnswers | kSubmits},
    {Call::kQueueMark, "queue_mark", kPlain},
    {Call::kQueuePoll, "queue_poll", kPlain | kAnswers},
    {Call::kQueueWait, "queue_wait", kPlain | kAnswers},
    {Call::kQueueFill, "queue_fill", kPlain | kAnswers | kSubmits},
    {Call::kQueueAfter, "queue_after", kPlain | kSubmits},
    {Call::kQueueNotify, "queue_notify", kPlain},
    {Call::kQueueTimestamps, "queue_timestamps", kPlain | kAnswers},
};
static_assert(std::size(kCalls) == kCallCount);
static_assert([] {
    for (size_t index = 0; index < kCallCount; ++index) {
        if (kCalls[index].call != static_cast<Call>(index)) return false;
    }
    return true;
}());

struct EffectInfo {
    std::string_view name;
    unsigned needs;
};
constexpr EffectInfo kEffects[] = {{"error", kFails},   {"delay", 0},        {"corrupt", kAnswers}, {"hang", kOfACard},
                                   {"stall", kSubmits}, {"lost", kOfACard}, {"reset", kOfACard},   {"removed", kOfACard}};

const EffectInfo& info_of(FaultEffect effect) {
    return kEffects[static_cast<size_t>(effect)];
}

struct CodeName {
    std::string_view name;
    Code code;
};
constexpr CodeName kCodes[] = {
    {"invalid", Code::kInvalid},         {"out_of_range", Code::kOutOfRange}, {"out_of_memory", Code::kOutOfMemory},
    {"unsupported", Code::kUnsupported}, {"not_found", Code::kNotFound},      {"lost", Code::kLost},
    {"cancelled", Code::kCancelled},     {"damaged", Code::kDamaged},
};

constexpr uint64_t kMostCalls = 1'000'000'000;
constexpr int32_t kMostStatus = 65535;
constexpr uint64_t kLongestDelayNs = uint64_t{3600} * 1'000'000'000;

template <typename T>
bool read_number(std::string_view text, T least, T most, T& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size() && out >= least && out <= most;
}

template <typename List>
std::string names(const List& list) {
    std::string all;
    for (const auto& entry : list)
        all += (all.empty() ? "" : ", ") + std::string(entry.name);
    return all;
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const size_t begin = text.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

/* The part before the mark, which is taken away with it; all of the text where there is none. */
std::string_view take_until(std::string_view& text, char mark) {
    const size_t at = text.find(mark);
    const std::string_view part = text.substr(0, at);
    text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
    return part;
}

/* "1ms", "20us"; false if it is none or too long. */
bool read_duration(std::string_view text, uint64_t& out_ns) {
    struct Unit {
        std::string_view name;
        uint64_t ns;
    };
    constexpr Unit kUnits[] = {{"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}};
    for (const Unit& unit : kUnits) {
        if (!text.ends_with(unit.name)) continue;
        if (!read_number<uint64_t>(text.substr(0, text.size() - unit.name.size()), 0, kLongestDelayNs, out_ns)) continue;
        if (out_ns > kLongestDelayNs / unit.ns) return false;
        out_ns *= unit.ns;
        return true;
    }
    return false;
}

/* One rule being read: [card "/"] call [":" when] "=" effect. */
class RuleReader {
  public:
    explicit RuleReader(std::string_view text) : text_(trim(text)) { rule_.text = text_; }

    Result<FaultRule> read() {
        if (text_.size() > 200) return fail("longer than 200 bytes");
        std::string_view effect = text_;
        std::string_view target = take_until(effect, '=');
        if (effect.empty()) return fail("no effect; a rule is [CARD/]CALL[:WHEN]=EFFECT");
        std::string_view when = target;
        const std::string_view place = take_until(when, ':');
        for (const Status& status : {read_place(place), read_when(target.size() > place.size(), when), read_effect(effect),
                                     check_possible()}) {
            if (!status.ok()) return status;
        }
        return rule_;
    }

  private:
    Status fail(const std::string& what) const {
        return {Code::kInvalid, "fault \"" + std::string(text_.substr(0, 200)) + "\": " + what,
                "the grammar is in mock_devices/README.md, \"Faults\""};
    }

    Status read_place(std::string_view place) {
        std::string_view call = place;
        if (place.find('/') != std::string_view::npos) {
            const std::string_view card = take_until(call, '/');
            uint32_t index = 0;
            if (card != "*" && !read_number<uint32_t>(card, 0, 1023, index)) {
                return fail("card \"" + std::string(card) + "\": must be a number from 0 to 1023, or *");
            }
            if (card != "*") rule_.card = index;
        }
        if (call == "*") return {};
        for (const CallInfo& info : kCalls) {
            if (info.name == call) {
                rule_.call = info.call;
                return {};
            }
        }
        return fail("there is no call \"" + std::string(call) + "\"; known are *, " + names(kCalls));
    }

    Status read_when(bool given, std::string_view when) {
        if (!given) return {};
        const std::string wrong = "when = \"" + std::string(when) + "\": must be N, N+ or every:N, N from 1 to " +
                                  std::to_string(kMostCalls);
        std::string_view count = when;
        if (when.starts_with("every:")) {
            count.remove_prefix(6);
            if (!read_number<uint64_t>(count, 1, kMostCalls, rule_.every)) return fail(wrong);
            rule_.first = rule_.every;
            return {};
        }
        rule_.every = when.ends_with('+') ? 1 : 0;
        if (rule_.every == 1) count.remove_suffix(1);
        return read_number<uint64_t>(count, 1, kMostCalls, rule_.first) ? Status() : fail(wrong);
    }

    Status read_effect(std::string_view effect) {
        std::string_view value = effect;
        const std::string_view name = take_until(value, ':');
        for (size_t index = 0; index < std::size(kEffects); ++index) {
            if (kEffects[index].name == name) {
                rule_.effect = static_cast<FaultEffect>(index);
                return read_value(name, effect.size() > name.size(), value);
            }
        }
        return fail("there is no effect \"" + std::string(name) + "\"; known are " + names(kEffects));
    }

    Status read_value(std::string_view effect, bool given, std::string_view value) {
        const std::string shown = std::string(effect) + ":" + std::string(value);
        if (rule_.effect == FaultEffect::kDelay) {
            if (read_duration(value, rule_.delay_ns)) return {};
            return fail(shown + ": must be a time up to an hour with its unit, as 20us, 1ms or 2s");
        }
        if (rule_.effect == FaultEffect::kError) return read_status(shown, value);
        return given ? fail(shown + ": " + std::string(effect) + " takes no value") : Status();
    }

    Status read_status(const std::string& shown, std::string_view value) {
        for (const CodeName& known : kCodes) {
            if (known.name == value) {
                rule_.status.code = known.code;
                return {};
            }
        }
        if (read_number<int32_t>(value, -kMostStatus, kMostStatus, rule_.status.number) && rule_.status.number != 0) return {};
        return fail(shown + ": must be a status number other than 0, as -10, or one of " + names(kCodes));
    }

    Status check_possible() const {
        if (!rule_.call || is_possible(rule_.effect, *rule_.call)) {
            if (rule_.call == Call::kDeviceCount && rule_.card) return fail("device_count is of no card");
            return {};
        }
        std::string able;
        for (const CallInfo& info : kCalls) {
            if (is_possible(rule_.effect, info.call)) able += (able.empty() ? "" : ", ") + std::string(info.name);
        }
        return fail(std::string(info_of(rule_.effect).name) + " is possible only for " + able);
    }

    const std::string_view text_;
    FaultRule rule_;
};

bool matches(const FaultRule& rule, Call call, std::optional<uint32_t> card) {
    return (!rule.card || rule.card == card) && (rule.call ? rule.call == call : is_possible(rule.effect, call));
}

bool is_due(const FaultRule& rule, uint64_t call) {
    if (call < rule.first) return false;
    return rule.every == 0 ? call == rule.first : (call - rule.first) % rule.every == 0;
}

} // namespace

std::string_view call_name(Call call) {
    return kCalls[static_cast<size_t>(call)].name;
}

bool is_possible(FaultEffect effect, Call call) {
    const unsigned needs = info_of(effect).needs;
    return (kCalls[static_cast<size_t>(call)].possible & needs) == needs;
}

Result<FaultRule> parse_fault(std::string_view text) {
    return RuleReader(text).read();
}

Result<std::vector<FaultRule>> parse_faults(std::string_view text) {
    std::vector<FaultRule> rules;
    while (!text.empty()) {
        const std::string_view part = trim(take_until(text, ';'));
        if (part.empty()) continue;
        Result<FaultRule> rule = parse_fault(part);
        if (!rule.ok()) return rule.status();
        rules.push_back(std::move(rule.value()));
    }
    return rules;
}

void Faults::add(FaultRule rule) {
    const std::lock_guard lock(mutex_);
    rules_.push_back({std::move(rule)});
}

void Faults::clear() {
    const std::lock_guard lock(mutex_);
    rules_.clear();
}

std::optional<FaultRule> Faults::next(Call call, std::optional<uint32_t> card) {
    const std::lock_guard lock(mutex_);
    std::optional<FaultRule> due;
    for (Armed& armed : rules_) {
        if (!matches(armed.rule, call, card)) continue;
        if (is_due(armed.rule, ++armed.seen) && !due) due = armed.rule;
    }
    return due;
}

} // namespace mock
