// What a sequence is made of: a verb, and numbers that get their meaning where the sequence has come to ("the n-th of the blocks
// there are"). So a sequence from which operations were taken out is a sequence too, which is what shrinking needs.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace property {

using Random = std::mt19937_64;

// name, how often among the others
#define PROPERTY_VERBS(X)                                                                                     \
    X(allocate, 10) X(pool_allocate, 4) X(host_allocate, 2) X(share, 4) X(import, 2) X(release, 8)            \
    X(write, 6) X(store, 8) X(map, 3) X(fill, 6) X(copy, 14) X(copy_boxes, 6) X(prefetch, 4) X(advise, 3)     \
    X(blend, 10) X(scramble, 6) X(gather, 5) X(reverse, 4)                                                      \
    X(check, 8) X(wait, 4) X(synchronize, 1) X(hold, 3) X(open, 2) X(call, 2)

enum class Verb {
#define PROPERTY_VERB(name, weight) name,
    PROPERTY_VERBS(PROPERTY_VERB)
#undef PROPERTY_VERB
};

struct Operation {
    Verb verb{};
    std::array<uint32_t, 8> numbers{};
};
using Sequence = std::vector<Operation>;

Sequence random_sequence(Random& random, size_t length);

// One operation a line: its verb and its numbers, without zeros at the end. `parse` throws std::runtime_error, with the line.
std::string to_text(const Operation& operation);
Operation parse(const std::string& line);

}  // namespace property
