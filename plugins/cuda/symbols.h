// The functions of one opened library, by the names of one family. Knows nothing of what they do.
#pragma once

#include <array>
#include <string>

#include "family.h"

namespace qiao::cuda {

template <typename T>
struct SlotType {
    using Type = T;
};
template <typename Result, typename... Arguments>
struct SlotType<Result(Arguments...)> {
    using Type = Result (*)(Arguments...);
};

// Null for what the library, or its family, does not have.
struct Symbols {
#define QIAO_CUDA_MEMBER(name, result, arguments) typename SlotType<result arguments>::Type name = nullptr;
    QIAO_CUDA_SLOTS(QIAO_CUDA_MEMBER)
#undef QIAO_CUDA_MEMBER
};

// Where each function was found: the name in the library, or null.
using TakenNames = std::array<const char*, kSlotCount>;

// Looks a name up; null = not there.
using LookUp = void* (*)(void* library, const char* name);

// Takes the first of each slot's names that is there. "" or which required functions are missing.
std::string resolve(const Family& family, void* library, LookUp look_up, Symbols* out, TakenNames* out_taken);

// Opens a library so that its names are seen by nobody else. Null, with the reason. What was opened is never closed: vendors' threads
// and exit handlers live in there, and some crash when it is.
void* open_library(const std::string& path, std::string* out_reason);

void* look_up_symbol(void* library, const char* name);

} // namespace qiao::cuda
