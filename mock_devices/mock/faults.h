/* Faults on request: rules that say which call of a card goes wrong and how. Rules come as text (an environment variable, a
 * profile) or one by one (a program); all feed one Faults, which counts calls and says what is due. What a fault then does is
 * its user's: this file knows neither cards nor queues. The grammar is in README.md. */
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mock/status.h"

namespace mock {

/* The calls into a machine, by the names that rules use. */
enum class Call : uint8_t {
    kDeviceCount,
    kDeviceQuery,
    kDeviceOpen,
    kDeviceClose,
    kDeviceSynchronize,
    kDeviceState,
    kDeviceReset,
    kDeviceMemoryFree,
    kDeviceClock,
    kMemoryAllocate,
    kMemoryFree,
    kMemoryWrite,
    kMemoryRead,
    kMemoryMap,
    kMemoryUnmap,
    kMemoryImport,
    kMemoryEvict,
    kMemoryRestore,
    kProgramLoad,
    kProgramUnload,
    kKernelFind,
    kKernelLaunch,
    kProgramScore,
    kQueueCreate,
    kQueueDestroy,
    kQueueLaunch,
    kQueueCopy,
    kQueueMark,
    kQueuePoll,
    kQueueWait,
    kQueueFill,
    kQueueAfter,
    kQueueNotify,
    kQueueTimestamps,
};
inline constexpr size_t kCallCount = static_cast<size_t>(Call::kQueueTimestamps) + 1;
std::string_view call_name(Call call);

enum class FaultEffect : uint8_t {
    kError,   /* answers `status` and does nothing */
    kDelay,   /* takes `delay_ns` longer */
    kCorrupt, /* what it gives back is wrong, though it says that all is well */
    kHang,    /* does not return until the card is lost or reset */
    kStall,   /* what it submits never ends */
    kLost,    /* the card is lost first */
    kReset,   /* the card is lost and starts anew by itself: all that was made on it is gone */
    kRemoved, /* the card is lost for good */
};

/* A status as the caller's side numbers them, or one of the model's codes. */
struct FaultStatus {
    Code code = Code::kOk; /* kOk: `number` counts */
    int32_t number = 0;
};

struct FaultRule {
    std::string text;             /* as written */
    std::optional<uint32_t> card; /* none = every card, and calls of no card */
    std::optional<Call> call;     /* none = every call that the effect is possible for */
    uint64_t first = 1;           /* the matching call that is hit first, from 1 */
    uint64_t every = 1;           /* then each so-manieth one; 0 = no other */
    FaultEffect effect = FaultEffect::kError;
    FaultStatus status;
    uint64_t delay_ns = 0;
};

/* Whether the effect means anything for the call: destructors have no status, only submissions can stall. */
bool is_possible(FaultEffect effect, Call call);

/* "queue_launch:3=error:-10"; the message quotes the rule and lists what is known. */
Result<FaultRule> parse_fault(std::string_view text);
/* Rules with ';' between; empty ones are none. */
Result<std::vector<FaultRule>> parse_faults(std::string_view text);

/* The rules in force. Thread-safe. */
class Faults {
  public:
    void add(FaultRule rule);
    void clear();

    /* One more call: the fault that is due, the rule written first if there are several. `card` is none for calls that are of
     * no card. */
    std::optional<FaultRule> next(Call call, std::optional<uint32_t> card);

  private:
    struct Armed {
        FaultRule rule;
        uint64_t seen = 0; /* calls that matched */
    };
    std::mutex mutex_;
    std::vector<Armed> rules_;
};

} // namespace mock
