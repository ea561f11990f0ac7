/* Every error names the parameter with its type, what was given, and what would fit. */
#include "cli/run/arguments.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "cli/array/numbers.h"
#include "cli/failure.h"
#include "cli/run/c_type.h"

namespace qiao::cli {
namespace {

std::string parameter_list(const Signature& signature) {
    std::string list;
    for (const Parameter& parameter : signature.parameters) {
        list += text(list.empty() ? "" : ", ", parameter.type, " ", parameter.name);
    }
    return text(signature.kernel, "(", list, ")");
}

const char* wanted_form(const Parameter& parameter) {
    switch (parameter.kind) {
        case QIAO_ARGUMENT_KIND_ADDRESS:
            return "an array: @FILE, zeros:, range:, const: or random:, or null";
        case QIAO_ARGUMENT_KIND_LOCAL:
            return "local:BYTES";
        default:
            return "a number, numbers with ',' between for a vector, or hex:BYTES";
    }
}

void check_kind(const Parameter& parameter, const Spec& spec) {
    bool fits = false;
    if (parameter.kind == QIAO_ARGUMENT_KIND_ADDRESS) fits = is_array_spec(spec) || spec.kind == SpecKind::Null;
    if (parameter.kind == QIAO_ARGUMENT_KIND_LOCAL) fits = spec.kind == SpecKind::Local;
    if (parameter.kind == QIAO_ARGUMENT_KIND_VALUE) {
        fits = spec.kind == SpecKind::Numbers || spec.kind == SpecKind::Bytes;
    }
    if (fits) return;
    throw Failure(kExitUsage, text(describe(parameter), ": '", spec.written, "' does not fit"),
                  text("give ", wanted_form(parameter)));
}

void pack_numbers(const Parameter& parameter, const Spec& spec, std::byte* target) {
    const std::string what = describe(parameter);
    const std::optional<CType> type = parse_c_type(parameter.type);
    if (!type || type->stored_bytes() != parameter.size_bytes) {
        throw Failure(kExitUsage, text(what, ": '", spec.written, "' cannot be made a value of this type"),
                      text("give its ", parameter.size_bytes, " bytes as hex:..."));
    }
    if (spec.numbers.size() != type->width) {
        throw Failure(kExitUsage, text(what, ": takes ", type->width, type->width == 1 ? " number" : " numbers", ", '",
                                       spec.written, "' has ", spec.numbers.size()));
    }
    for (const std::string& number : spec.numbers) {
        store_number(type->element, number, target, what);
        target += element_size(type->element);
    }
}

void pack_value(const Parameter& parameter, const Spec& spec, std::byte* target) {
    if (spec.kind == SpecKind::Numbers) return pack_numbers(parameter, spec, target);
    if (spec.bytes.size() != parameter.size_bytes) {
        throw Failure(kExitUsage, text(describe(parameter), ": takes ", parameter.size_bytes, " bytes, '", spec.written,
                                       "' has ", spec.bytes.size()));
    }
    std::memcpy(target, spec.bytes.data(), spec.bytes.size());
}

} // namespace

std::string describe(const Parameter& parameter) {
    return text("argument '", parameter.name, "' (", parameter.type, ")");
}

size_t find_parameter(const Signature& signature, const std::string& key) {
    const std::vector<Parameter>& parameters = signature.parameters;
    for (size_t i = 0; i < parameters.size(); ++i) {
        if (parameters[i].name == key) return i;
    }
    const std::optional<uint64_t> index = parse_unsigned(key);
    if (index && *index < parameters.size()) return *index;
    throw Failure(kExitUsage, text("there is no argument '", key, "'"), "the kernel is " + parameter_list(signature));
}

std::vector<Spec> match_arguments(const Signature& signature, const std::vector<KeyedSpec>& given) {
    const std::vector<Parameter>& parameters = signature.parameters;
    std::vector<std::optional<Spec>> found(parameters.size());
    for (const KeyedSpec& one : given) {
        if (one.key.empty()) continue;
        const size_t index = find_parameter(signature, one.key);
        if (found[index]) throw Failure(kExitUsage, describe(parameters[index]) + ": given twice");
        found[index] = parse_spec(one.value, describe(parameters[index]));
    }
    for (const KeyedSpec& one : given) {
        if (!one.key.empty()) continue;
        const auto free = std::find(found.begin(), found.end(), std::nullopt);
        if (free == found.end()) {
            throw Failure(kExitUsage, text("one argument too many: '", one.value, "'"),
                          "the kernel is " + parameter_list(signature));
        }
        *free = parse_spec(one.value, describe(parameters[static_cast<size_t>(free - found.begin())]));
    }
    std::vector<Spec> specs;
    for (size_t i = 0; i < parameters.size(); ++i) {
        if (!found[i]) {
            throw Failure(kExitUsage, describe(parameters[i]) + ": not given",
                          text("add -a ", parameters[i].name, "=SPEC: ", wanted_form(parameters[i])));
        }
        check_kind(parameters[i], *found[i]);
        specs.push_back(std::move(*found[i]));
    }
    return specs;
}

void check_array(const Parameter& parameter, const Array& array) {
    const std::string what = text(describe(parameter), ": ", type_text(array.element, array.shape));
    if (array.bytes.empty()) throw Failure(kExitUsage, what + " is empty");
    const std::optional<CType> type = parse_c_type(parameter.type);
    if (!type) return;
    if (type->element != array.element) {
        throw Failure(kExitUsage, text(what, " is not what it points to, ", element_name(type->element)),
                      text("give an array of ", element_name(type->element)));
    }
    if (array.bytes.size() % type->stored_bytes() != 0) {
        throw Failure(kExitUsage, text(what, " is no whole number of its elements of ", type->stored_bytes(), " bytes"),
                      type->width == 3 ? "three-element vectors take the room of four" : "");
    }
}

std::vector<std::byte> pack_block(const Signature& signature, const std::vector<Spec>& specs) {
    std::vector<std::byte> block(signature.block_size);
    for (size_t i = 0; i < specs.size(); ++i) {
        const Parameter& parameter = signature.parameters[i];
        const uint64_t room = parameter.kind == QIAO_ARGUMENT_KIND_LOCAL ? sizeof(uint32_t) : parameter.size_bytes;
        if (parameter.offset > block.size() || room > block.size() - parameter.offset) {
            throw Failure(kExitFailed, describe(parameter) + ": reflection puts it outside the argument block");
        }
        std::byte* target = block.data() + parameter.offset;
        if (parameter.kind == QIAO_ARGUMENT_KIND_VALUE) pack_value(parameter, specs[i], target);
        if (parameter.kind == QIAO_ARGUMENT_KIND_LOCAL) {
            const auto count = static_cast<uint32_t>(specs[i].local_bytes);
            std::memcpy(target, &count, sizeof(count));
        }
    }
    return block;
}

} // namespace qiao::cli
