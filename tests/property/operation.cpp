#include "property/operation.h"

#include <sstream>
#include <stdexcept>
#include <utility>

namespace property {
namespace {

struct Row {
    const char* name;
    uint32_t weight;
};
constexpr Row kVerbs[] = {
#define PROPERTY_ROW(name, weight) {#name, weight},
    PROPERTY_VERBS(PROPERTY_ROW)
#undef PROPERTY_ROW
};

Verb random_verb(Random& random) {
    uint32_t total = 0;
    for (const Row& row : kVerbs) total += row.weight;
    uint32_t left = static_cast<uint32_t>(random() % total);
    size_t verb = 0;
    while (left >= kVerbs[verb].weight) left -= kVerbs[verb++].weight;
    return static_cast<Verb>(verb);
}

}  // namespace

Sequence random_sequence(Random& random, size_t length) {
    Sequence sequence(length);
    for (Operation& operation : sequence) {
        operation.verb = random_verb(random);
        for (uint32_t& number : operation.numbers) number = static_cast<uint32_t>(random());
    }
    return sequence;
}

std::string to_text(const Operation& operation) {
    std::string text = kVerbs[static_cast<size_t>(operation.verb)].name;
    size_t count = operation.numbers.size();
    while (count > 0 && operation.numbers[count - 1] == 0) --count;
    for (size_t i = 0; i < count; ++i) text += " " + std::to_string(operation.numbers[i]);
    return text;
}

Operation parse(const std::string& line) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    Operation operation;
    size_t verb = 0;
    while (verb < std::size(kVerbs) && name != kVerbs[verb].name) ++verb;
    if (verb == std::size(kVerbs)) throw std::runtime_error("no operation: '" + line + "'");
    operation.verb = static_cast<Verb>(verb);
    size_t count = 0;
    for (uint32_t number; words >> number; operation.numbers[count++] = number)
        if (count == operation.numbers.size()) throw std::runtime_error("more than " + std::to_string(count) + " numbers: '" + line + "'");
    if (!words.eof()) throw std::runtime_error("not a number: '" + line + "'");
    return operation;
}

}  // namespace property
