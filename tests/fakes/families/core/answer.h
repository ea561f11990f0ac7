/* How calls end: inside they throw, outside they have the family's numbers. */
#pragma once

#include <atomic>
#include <new>
#include <string_view>

#include "core/family.h"
#include "core/switches.h"
#include "mock/status.h"

namespace fakes {

struct Failure {
    Error error;
};

[[noreturn]] inline void fail(Error error) {
    throw Failure{error};
}
inline void require(bool holds, Error otherwise) {
    if (!holds) [[unlikely]]
        fail(otherwise);
}
/* An out-parameter, which must not be null. */
template <class T>
T& out(T* pointer) {
    require(pointer != nullptr, Error::kInvalidValue);
    return *pointer;
}
/* What the model refuses; `out_of_range` is what an address or a size beyond a limit means for the call. */
void check(const mock::Status& status, Error out_of_range = Error::kInvalidValue);

/* What every call on a lost card answers; set by what has lost it. */
std::atomic<Error>& error_of_loss();

int code_of(Error error);
/* "INVALID_VALUE" with the family's prefix; null = no such number. */
const char* error_name(int code);
const char* error_text(int code);
/* One of the two as CUDA tells it, by an out-parameter. */
int error_word(const char* (*word)(int), int code, const char** out_text);

/* Whether init was called, where the family wants that. */
bool initialized();

enum class Needs : uint8_t { kInit, kNothing };

/* One exported call: `call` is its name without prefix and suffix, as FAKE_<ID>_FAULTS says it. */
template <class Body, class... Arguments>
int answer_with(Needs needs, std::string_view call, Body body, Arguments... arguments) noexcept {
    int code = 0;
    if (!switches().faults.empty() && switches().answer(call, code)) return code;
    if (needs == Needs::kInit && !initialized()) [[unlikely]]
        return code_of(Error::kNotInitialized);
    try {
        body(arguments...);
        return 0;
    } catch (const Failure& failure) {
        return code_of(failure.error);
    } catch (const std::bad_alloc&) {
        return code_of(Error::kOutOfMemory);
    } catch (...) {
        return code_of(Error::kUnknown);
    }
}
template <class Body, class... Arguments>
int answer(std::string_view call, Body body, Arguments... arguments) noexcept {
    return answer_with(Needs::kInit, call, body, arguments...);
}

} // namespace fakes
