/* Names are compared by their words: "mcDeviceEnableAccessPeer" has those of "mcDeviceEnablePeerAccess", and "hgMemAlloc" those of
 * "hgMemAlloc_v2". */
#include "cli/cards/comparison.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <set>
#include <utility>

namespace qiao::cli {
namespace {

constexpr size_t kMaxSimilar = 3;
constexpr size_t kFewNames = 5;

bool is_upper(char c) {
    return std::isupper(static_cast<unsigned char>(c)) != 0;
}

/* In lower case, without the prefix and the version: {"mem", "alloc"}. */
std::set<std::string> words_of(std::string name, const std::string& prefix) {
    if (name.starts_with(prefix)) name.erase(0, prefix.size());
    name = name.substr(0, name.find('_'));
    std::set<std::string> words;
    std::string word;
    for (size_t index = 0; index < name.size(); ++index) {
        const bool begins = index > 0 && is_upper(name[index]) && !is_upper(name[index - 1]);
        if (begins && !word.empty()) words.insert(std::exchange(word, ""));
        word += static_cast<char>(std::tolower(static_cast<unsigned char>(name[index])));
    }
    if (!word.empty()) words.insert(word);
    return words;
}

/* 1 = the same words, 0 = none in common. */
double likeness(const std::set<std::string>& one, const std::set<std::string>& other) {
    std::vector<std::string> common;
    std::ranges::set_intersection(one, other, std::back_inserter(common));
    return 2.0 * static_cast<double>(common.size()) / static_cast<double>(std::max<size_t>(one.size() + other.size(), 1));
}

std::vector<std::string> similar_to(const FamilySlot& slot, const std::vector<std::string>& candidates, const std::string& prefix) {
    constexpr double kLikeEnough = 0.75;
    const std::set<std::string> wanted = words_of(slot.symbols.front(), prefix);
    std::vector<std::pair<double, std::string>> ranked;
    for (const std::string& name : candidates) {
        const double alike = likeness(wanted, words_of(name, prefix));
        if (alike >= kLikeEnough) ranked.emplace_back(-alike, name);
    }
    std::ranges::sort(ranked);
    std::vector<std::string> names;
    for (size_t index = 0; index < std::min(ranked.size(), kMaxSimilar) && ranked[index].first == ranked.front().first; ++index)
        names.push_back(ranked[index].second);
    return names;
}

/* The names must be sorted. */
std::string first_exported(const std::vector<std::string>& exports, const FamilySlot& slot) {
    for (const std::string& symbol : slot.symbols) {
        if (std::ranges::binary_search(exports, symbol)) return symbol;
    }
    return "";
}

} // namespace

LibraryComparison compare(const std::vector<std::string>& exports, const Family& family) {
    std::vector<std::string> sorted = exports, named;
    std::ranges::sort(sorted);
    LibraryComparison result;
    std::set<std::string> present;
    for (const FamilySlot& slot : family.slots) {
        ComparedSlot compared{&slot, SlotState::None, first_exported(sorted, slot), {}, false};
        if (!compared.symbol.empty()) {
            compared.state = compared.symbol == slot.symbols.front() ? SlotState::Found : SlotState::Fallback;
            present.insert(slot.name);
            named.push_back(compared.symbol);
        } else if (!slot.symbols.empty()) {
            compared.state = SlotState::Missing;
        }
        result.found += compared.state == SlotState::Found;
        result.fallback += compared.state == SlotState::Fallback;
        result.missing += compared.state == SlotState::Missing;
        result.slots.push_back(std::move(compared));
    }
    std::vector<std::string> others;
    std::ranges::sort(named);
    std::ranges::copy_if(sorted, std::back_inserter(others),
                         [&](const std::string& name) { return name.starts_with(family.prefix) && !std::ranges::binary_search(named, name); });
    result.with_prefix = static_cast<size_t>(std::ranges::count_if(sorted, [&](const std::string& name) { return name.starts_with(family.prefix); }));
    for (ComparedSlot& compared : result.slots) {
        if (compared.state == SlotState::Missing) compared.similar = similar_to(*compared.slot, others, family.prefix);
        compared.needed = compared.slot->required && !present.contains(compared.slot->name) && !present.contains(compared.slot->instead) &&
                          (!compared.slot->symbols.empty() || compared.slot->instead.empty());
        result.needed += compared.needed;
    }
    return result;
}

const Family* likeliest_family(const std::vector<std::string>& exports, const std::vector<Family>& families) {
    const Family* best = nullptr;
    size_t most = kFewNames;
    for (const Family& family : families) {
        const LibraryComparison comparison = compare(exports, family);
        if (comparison.found + comparison.fallback <= most) continue;
        most = comparison.found + comparison.fallback;
        best = &family;
    }
    return best;
}

} // namespace qiao::cli
