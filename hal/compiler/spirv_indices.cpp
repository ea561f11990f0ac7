// clspv 0.0.1 takes a constant step between two pointers for a number of 32 bits without a sign: behind `p[i]`, `p[i - 1]` is
// `i + 4294967295` in 64 bits. Such a constant gets its sign back where all that it is added to ends as the index of an access.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "spirv.h"
#include "spirv_words.h"

namespace qiao::compiler::spirv {
namespace {

enum Operation : uint32_t {
    kExtInst = 12,
    kTypeInt = 21,
    kConstant = 43,
    kFunction = 54,
    kFunctionEnd = 56,
    kLoad = 61,
    kStore = 62,
    kAccessChain = 65,
    kInBoundsAccessChain = 66,
    kPtrAccessChain = 67,
    kInBoundsPtrAccessChain = 70,
    kVectorShuffle = 79,
    kCompositeExtract = 81,
    kCompositeInsert = 82,
    kCopyObject = 83,
    kAdd = 128,
    kSubtract = 130,
    kMultiply = 132,
    kSelect = 169,
    kShiftLeft = 196,
    kPhi = 245,
    kLoopMerge = 246,
    kSelectionMerge = 247,
    kBranchConditional = 250,
    kSwitch = 251,
};

bool is_access(uint32_t operation) {
    return (operation >= kAccessChain && operation <= kPtrAccessChain) || operation == kInBoundsPtrAccessChain;
}

// What makes an index of an index.
bool is_arithmetic(uint32_t operation) {
    return operation == kAdd || operation == kSubtract || operation == kMultiply || operation == kShiftLeft || operation == kCopyObject ||
           operation == kSelect || operation == kPhi;
}

// The words of an instruction that name values: [first, second). What lies beyond are numbers that look like any other.
std::pair<uint32_t, uint32_t> operands_of(uint32_t operation, uint32_t count) {
    switch (operation) {
        case kLoad: return {3, 4};
        case kStore: return {1, 3};
        case kVectorShuffle: return {3, 5};
        case kCompositeExtract: return {3, 4};
        case kCompositeInsert: return {3, 5};
        case kExtInst: return {5, count};
        case kSelectionMerge: return {1, 1};
        case kLoopMerge: return {1, 1};
        case kBranchConditional: return {1, 2};
        case kSwitch: return {1, 2};
        default: return {1, count};
    }
}

class Indices {
  public:
    explicit Indices(std::vector<uint32_t>& words) : words_(words) {}

    void sign() {
        find_constants();
        if (constants_.empty()) return;
        find_uses();
        for (const auto& [at, constant] : added_) {
            if (is_index(at)) words_[at.word] = signed_of(constant);
        }
        insert_signed();
    }

  private:
    struct Place { // of an operand
        size_t instruction;
        size_t word;
        bool operator<(const Place& other) const { return word < other.word; }
    };

    void find_constants() {
        std::set<uint32_t> longs;
        for_each(words_, [&](uint32_t operation, const uint32_t* word, uint32_t count) {
            if (operation == kTypeInt && word[2] == 64) longs.insert(word[1]);
            if (operation == kConstant && count == 5 && longs.count(word[1]) != 0 && word[4] == 0 && word[3] >= 0x80000000u) constants_.insert(word[2]);
        });
    }

    void find_uses() {
        bool inside = false;
        for_each(words_, [&](uint32_t operation, const uint32_t* word, uint32_t count) {
            if (operation == kFunction) inside = true;
            if (operation == kFunctionEnd) inside = false;
            if (!inside || operation == kFunction) return;
            const size_t instruction = static_cast<size_t>(word - words_.data());
            const auto [first, end] = operands_of(operation, count);
            for (uint32_t i = first; i < end; ++i) {
                const Place place = {instruction, instruction + i};
                const bool of_index = i > 3 && is_access(operation), of_arithmetic = i > 2 && is_arithmetic(operation);
                uses_[word[i]].push_back(place);
                if (constants_.count(word[i]) != 0 && (of_index || of_arithmetic)) added_.emplace(place, word[i]);
            }
        });
    }

    // Whether the value there is an index, or goes into nothing else. What a loop asks again is assumed meanwhile.
    bool is_index(const Place& place) {
        constexpr size_t kResult = 2, kCondition = 3, kShift = 4;
        const uint32_t operation = words_[place.instruction] & 0xffff;
        const size_t position = place.word - place.instruction;
        if (is_access(operation)) return position > 3;
        if (!is_arithmetic(operation)) return false;
        if (position == kResult) return true; // it is made there
        if ((operation == kSelect && position == kCondition) || (operation == kShiftLeft && position == kShift)) return false;
        const uint32_t result = words_[place.instruction + kResult];
        if (const auto known = only_indices_.find(result); known != only_indices_.end()) return known->second;
        only_indices_[result] = true;
        const std::vector<Place>& uses = uses_[result];
        const bool all = std::all_of(uses.begin(), uses.end(), [this](const Place& use) { return is_index(use); });
        return only_indices_[result] = all;
    }

    uint32_t signed_of(uint32_t constant) {
        uint32_t& made = signed_[constant];
        if (made == 0) made = words_[3]++; // the bound of all ids
        return made;
    }

    void insert_signed() {
        if (signed_.empty()) return;
        std::vector<uint32_t> result(words_.begin(), words_.begin() + kHeaderWords);
        for_each(words_, [&](uint32_t operation, const uint32_t* word, uint32_t count) {
            result.insert(result.end(), word, word + count);
            if (operation != kConstant) return;
            const auto made = signed_.find(word[2]);
            if (made == signed_.end()) return;
            const uint32_t constant[] = {word[0], word[1], made->second, word[3], 0xffffffffu};
            result.insert(result.end(), std::begin(constant), std::end(constant));
        });
        words_ = std::move(result);
    }

    std::vector<uint32_t>& words_;
    std::set<uint32_t> constants_;
    std::map<uint32_t, std::vector<Place>> uses_;
    std::map<Place, uint32_t> added_; // constants that may be part of an index
    std::map<uint32_t, bool> only_indices_;
    std::map<uint32_t, uint32_t> signed_;
};

} // namespace

void sign_indices(std::vector<uint32_t>& words) {
    Indices(words).sign();
}

} // namespace qiao::compiler::spirv
