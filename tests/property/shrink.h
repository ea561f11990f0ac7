// From a sequence that fails to a short one: operations are taken out, then numbers made small, as long as it still fails.
#pragma once

#include <functional>

#include "property/operation.h"

namespace property {

// `fails` runs a sequence from a fresh start; it is asked `patience` times at most.
Sequence shrink(Sequence sequence, const std::function<bool(const Sequence&)>& fails, size_t patience);

}  // namespace property
