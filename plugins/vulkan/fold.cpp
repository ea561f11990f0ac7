// The entry point becomes a function like others, called by a new one that sets the variables it reads: those of the builtins
// WorkgroupId, GlobalInvocationId and NumWorkgroups become private ones of the same name. See fold.h.
#include "fold.h"

#include <algorithm>
#include <array>

#include "instructions.h"

namespace qiao::vulkan {
namespace {

// SPIR-V specification 3.21, and the numbers it has for storage classes, decorations and capabilities.
enum Builtin : uint32_t { kNumWorkgroups = 24, kWorkgroupId = 26, kLocalInvocationId = 27, kGlobalInvocationId = 28, kBuiltins };
constexpr uint32_t kInput = 1, kUniform = 2, kPrivate = 6;
constexpr uint32_t kBlockDecoration = 2, kBuiltInDecoration = 11, kBindingDecoration = 33, kSetDecoration = 34, kOffsetDecoration = 35;
constexpr uint32_t kInt64Capability = 11;
constexpr uint32_t kAllInInterface = 0x00010400; // from this version on an entry point lists all its variables, not inputs alone

class Folding {
  public:
    Folding(const Words& words, const std::string& entry_point, Fold fold, const uint32_t (&group_size)[3]);
    Words result();

  private:
    void find(const std::string& entry_point);
    void declare();
    void write_function();
    bool is_set_here(uint32_t id) const {
        return id != 0 && (id == variable_[kWorkgroupId] || id == variable_[kGlobalInvocationId] || id == variable_[kNumWorkgroups]);
    }

    uint32_t fresh() { return bound_++; }
    static void put(Words& out, uint32_t operation, std::initializer_list<uint32_t> operands) {
        out.push_back(static_cast<uint32_t>(operands.size() + 1) << 16 | operation);
        out.insert(out.end(), operands);
    }
    // A type that must not be declared twice.
    uint32_t type(uint32_t operation, std::initializer_list<uint32_t> operands);
    uint32_t uint_constant(uint32_t value);
    uint32_t vector_constant(const uint32_t (&values)[3]);
    uint32_t input_variable(Builtin builtin);
    // A pointer to the number of groups.
    uint32_t groups_variable(uint32_t* out_pointer);
    // In the function: an instruction with a result.
    uint32_t compute(uint32_t operation, uint32_t type, std::initializer_list<uint32_t> operands);
    std::array<uint32_t, 3> numbers(uint32_t vector); // its components, as wide as numbers of groups are
    uint32_t place_of(uint32_t number, const std::array<uint32_t, 3>& groups);

    const Words& words_;
    const std::vector<Instruction> instructions_;
    const Fold fold_;
    const uint32_t (&group_size_)[3];
    uint32_t bound_;
    const uint32_t* entry_ = nullptr; // the entry point's instruction
    uint32_t interface_ = 0;          // the word of it where the list of variables begins
    uint32_t void_ = 0, signature_ = 0;
    uint32_t variable_[kBuiltins] = {}; // of the module, by builtin; 0 = it has none
    bool has_int64_ = false;

    Words decorations_, globals_, function_;
    std::vector<uint32_t> new_variables_;
    uint32_t uint_ = 0, number_ = 0, bool_ = 0, vector_ = 0, input_vector_ = 0, private_vector_ = 0, private_uint_ = 0;
    uint32_t called_ = 0; // the new id of what the entry point was
};

Folding::Folding(const Words& words, const std::string& entry_point, Fold fold, const uint32_t (&group_size)[3])
    : words_(words), instructions_(instructions_of(words)), fold_(fold), group_size_(group_size), bound_(words[3]) {
    find(entry_point);
    if (entry_ == nullptr || void_ == 0) return;
    declare();
    write_function();
}

void Folding::find(const std::string& entry_point) {
    for (const Instruction& each : instructions_) {
        uint32_t behind = 0;
        const uint32_t operation = each.operation();
        if (operation == kCapability && each.count == 2) has_int64_ |= each.words[1] == kInt64Capability;
        if (operation == kEntryPoint && each.count > 3 && name_of(each, &behind) == entry_point) {
            entry_ = each.words;
            interface_ = behind;
        }
        if (operation == kDecorate && each.count == 4 && each.words[2] == kBuiltInDecoration && each.words[3] < kBuiltins)
            variable_[each.words[3]] = each.words[1];
        if (operation == kFunction && each.count == 5 && entry_ != nullptr && each.words[2] == entry_[2]) {
            void_ = each.words[1];
            signature_ = each.words[4];
        }
    }
}

uint32_t Folding::type(uint32_t operation, std::initializer_list<uint32_t> operands) {
    for (const Instruction& each : instructions_)
        if (each.operation() == operation && each.count == operands.size() + 2 &&
            std::equal(operands.begin(), operands.end(), each.words + 2))
            return each.words[1];
    const uint32_t id = fresh();
    globals_.push_back(static_cast<uint32_t>(operands.size() + 2) << 16 | operation);
    globals_.push_back(id);
    globals_.insert(globals_.end(), operands);
    return id;
}

uint32_t Folding::uint_constant(uint32_t value) {
    const uint32_t id = fresh();
    put(globals_, kConstant, {uint_, id, value});
    return id;
}

uint32_t Folding::vector_constant(const uint32_t (&values)[3]) {
    const uint32_t x = uint_constant(values[0]), y = uint_constant(values[1]), z = uint_constant(values[2]), id = fresh();
    put(globals_, kConstantComposite, {vector_, id, x, y, z});
    return id;
}

uint32_t Folding::input_variable(Builtin builtin) {
    const uint32_t id = fresh();
    put(decorations_, kDecorate, {id, kBuiltInDecoration, builtin});
    put(globals_, kVariable, {input_vector_, id, kInput});
    new_variables_.push_back(id);
    return id;
}

uint32_t Folding::groups_variable(uint32_t* out_pointer) {
    const uint32_t block = fresh(), pointer = fresh(), variable = fresh();
    put(decorations_, kDecorate, {block, kBlockDecoration});
    put(decorations_, kMemberDecorate, {block, 0, kOffsetDecoration, 0});
    put(decorations_, kDecorate, {variable, kSetDecoration, kGroupsSet});
    put(decorations_, kDecorate, {variable, kBindingDecoration, 0});
    put(globals_, kTypeStruct, {block, vector_});
    put(globals_, kTypePointer, {pointer, kUniform, block});
    put(globals_, kVariable, {pointer, variable, kUniform});
    if (words_[1] >= kAllInInterface) new_variables_.push_back(variable);
    *out_pointer = type(kTypePointer, {kUniform, vector_});
    return variable;
}

void Folding::declare() {
    uint_ = type(kTypeInt, {32, 0});
    number_ = fold_ == kFoldedWide ? type(kTypeInt, {64, 0}) : uint_;
    bool_ = type(kTypeBool, {});
    vector_ = type(kTypeVector, {uint_, 3});
    input_vector_ = type(kTypePointer, {kInput, vector_});
    private_vector_ = type(kTypePointer, {kPrivate, vector_});
    private_uint_ = type(kTypePointer, {kPrivate, uint_});
    called_ = fresh();
    for (const uint32_t id : variable_)
        if (is_set_here(id)) put(globals_, kVariable, {private_vector_, id, kPrivate});
}

uint32_t Folding::compute(uint32_t operation, uint32_t type, std::initializer_list<uint32_t> operands) {
    const uint32_t id = fresh();
    function_.push_back(static_cast<uint32_t>(operands.size() + 3) << 16 | operation);
    function_.push_back(type);
    function_.push_back(id);
    function_.insert(function_.end(), operands);
    return id;
}

std::array<uint32_t, 3> Folding::numbers(uint32_t vector) {
    std::array<uint32_t, 3> components = {};
    for (uint32_t i = 0; i < 3; ++i) {
        components[i] = compute(kCompositeExtract, uint_, {vector, i});
        if (number_ != uint_) components[i] = compute(kUConvert, number_, {components[i]});
    }
    return components;
}

uint32_t Folding::place_of(uint32_t number, const std::array<uint32_t, 3>& groups) {
    const auto narrow = [this](uint32_t value) { return number_ == uint_ ? value : compute(kUConvert, uint_, {value}); };
    if (fold_ == kFoldedLine) {
        const uint32_t zero = uint_constant(0);
        return compute(kCompositeConstruct, vector_, {narrow(number), zero, zero});
    }
    const uint32_t row = compute(kUDiv, number_, {number, groups[0]});
    const uint32_t x = narrow(compute(kUMod, number_, {number, groups[0]}));
    const uint32_t y = narrow(compute(kUMod, number_, {row, groups[1]}));
    const uint32_t z = narrow(compute(kUDiv, number_, {row, groups[1]}));
    return compute(kCompositeConstruct, vector_, {x, y, z});
}

void Folding::write_function() {
    const auto put_here = [&](uint32_t operation, std::initializer_list<uint32_t> operands) { put(function_, operation, operands); };
    uint32_t groups_pointer = 0;
    const uint32_t variable = groups_variable(&groups_pointer);
    put_here(kFunction, {void_, entry_[2], 0, signature_});
    put_here(kLabel, {fresh()});
    const uint32_t groups = compute(kLoad, vector_, {compute(kAccessChain, groups_pointer, {variable, uint_constant(0)})});
    const auto sizes = numbers(groups);
    // What the dispatch says of itself: where this is in the grid, and how large that is.
    const auto place = numbers(compute(kLoad, vector_, {input_variable(kWorkgroupId)}));
    const auto grid = numbers(compute(kLoad, vector_, {input_variable(kNumWorkgroups)}));
    const uint32_t plane = compute(kIAdd, number_, {place[1], compute(kIMul, number_, {place[2], grid[1]})});
    const uint32_t number = compute(kIAdd, number_, {place[0], compute(kIMul, number_, {plane, grid[0]})});

    const uint32_t left_over = fresh(), taken = fresh();
    const uint32_t count = compute(kIMul, number_, {sizes[0], compute(kIMul, number_, {sizes[1], sizes[2]})});
    const uint32_t beyond = compute(kUGreaterThanEqual, bool_, {number, count});
    put_here(kSelectionMerge, {taken, 0});
    put_here(kBranchConditional, {beyond, left_over, taken});
    put_here(kLabel, {left_over});
    put_here(kReturn, {});
    put_here(kLabel, {taken});

    const uint32_t group = place_of(number, sizes);
    if (variable_[kWorkgroupId] != 0) put_here(kStore, {variable_[kWorkgroupId], group});
    if (variable_[kNumWorkgroups] != 0) put_here(kStore, {variable_[kNumWorkgroups], groups});
    if (variable_[kGlobalInvocationId] != 0) {
        const uint32_t local = variable_[kLocalInvocationId] != 0 ? variable_[kLocalInvocationId] : input_variable(kLocalInvocationId);
        const uint32_t first = compute(kIMul, vector_, {group, vector_constant(group_size_)});
        put_here(kStore, {variable_[kGlobalInvocationId], compute(kIAdd, vector_, {first, compute(kLoad, vector_, {local})})});
    }
    compute(kFunctionCall, void_, {called_});
    put_here(kReturn, {});
    put_here(kFunctionEnd, {});
}

Words Folding::result() {
    if (function_.empty()) return words_;
    Words out(words_.begin(), words_.begin() + kHeaderWords);
    out[3] = bound_;
    if (!has_int64_ && number_ != uint_) put(out, kCapability, {kInt64Capability});
    bool before_types = true, before_functions = true;
    for (const Instruction& each : instructions_) {
        const uint32_t operation = each.operation();
        if (before_types && operation >= kTypeVoid && operation < kDecorate) {
            before_types = false;
            out.insert(out.end(), decorations_.begin(), decorations_.end());
        }
        if (before_functions && operation == kFunction) {
            before_functions = false;
            out.insert(out.end(), globals_.begin(), globals_.end());
        }
        if (operation == kDecorate && each.count == 4 && each.words[2] == kBuiltInDecoration && is_set_here(each.words[1])) continue;
        if (operation == kVariable && is_set_here(each.words[2])) continue;
        const size_t start = out.size();
        if (each.words == entry_) {
            const bool has_private = words_[1] >= kAllInInterface;
            out.insert(out.end(), each.words, each.words + interface_);
            for (uint32_t i = interface_; i < each.count; ++i)
                if (has_private || !is_set_here(each.words[i])) out.push_back(each.words[i]);
            out.insert(out.end(), new_variables_.begin(), new_variables_.end());
            out[start] = static_cast<uint32_t>(out.size() - start) << 16 | kEntryPoint;
            continue;
        }
        out.insert(out.end(), each.words, each.words + each.count);
        if (operation == kFunction && each.words[2] == entry_[2]) out[start + 2] = called_;
        if ((operation == kAccessChain || operation == kInBoundsAccessChain) && is_set_here(each.words[3])) out[start + 1] = private_uint_;
    }
    out.insert(out.end(), function_.begin(), function_.end());
    return out;
}

} // namespace

Fold fold_of(const uint32_t (&groups)[3], const uint32_t (&limits)[3]) {
    if (groups[0] <= limits[0] && groups[1] <= limits[1] && groups[2] <= limits[2]) return kAsItIs;
    // The grid may have some groups more, whose numbers have to fit too.
    constexpr uint64_t kMostNarrow = uint64_t{1} << 31;
    uint64_t count = 0;
    if (__builtin_mul_overflow(uint64_t{groups[0]} * groups[1], uint64_t{groups[2]}, &count) || count > kMostNarrow) return kFoldedWide;
    return groups[1] == 1 && groups[2] == 1 ? kFoldedLine : kFoldedBlock;
}

bool fold(const uint32_t (&groups)[3], const uint32_t (&limits)[3], Grid* out) {
    uint64_t left = 0;
    if (__builtin_mul_overflow(uint64_t{groups[0]} * groups[1], uint64_t{groups[2]}, &left)) return false;
    for (int axis = 0; axis < 3; ++axis) {
        // Rows of one length, so that the last is as full as can be.
        const uint64_t rows = left / limits[axis] + (left % limits[axis] != 0 ? 1 : 0);
        out->groups[axis] = static_cast<uint32_t>(left / rows + (left % rows != 0 ? 1 : 0));
        left = rows;
    }
    return left == 1;
}

Words folded_module(const Words& words, const std::string& entry_point, Fold fold, const uint32_t (&group_size)[3]) {
    return Folding(words, entry_point, fold, group_size).result();
}

} // namespace qiao::vulkan
