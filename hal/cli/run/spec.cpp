/* One function per form of a SPEC. Whatever has no known prefix is a number or several. */
#include "cli/run/spec.h"

#include <algorithm>
#include <cctype>

#include "cli/array/files.h"
#include "cli/array/numbers.h"
#include "cli/failure.h"

namespace qiao::cli {
namespace {

constexpr std::string_view kDevice = "{device}";
constexpr size_t kMaxDimensions = 32;
constexpr const char* kForms =
    "an argument is @FILE.npy, @FILE.png, zeros:T[N], range:T[N][:START[,STEP]], const:VALUE:T[N], "
    "random:T[N][:seed=S][:LOW,HIGH], NUMBER[,NUMBER...], hex:BYTES, local:BYTES or null";

[[noreturn]] void malformed(const std::string& what, const std::string& why) {
    throw Failure(kExitUsage, what + ": " + why, kForms);
}

/* Takes the part before the separator off the text; all of it if there is none. */
std::string_view take(std::string_view& rest, char separator) {
    const size_t end = rest.find(separator);
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return part;
}

std::vector<std::string> split(std::string_view list) {
    std::vector<std::string> parts;
    const size_t commas = static_cast<size_t>(std::count(list.begin(), list.end(), ','));
    for (size_t i = 0; i <= commas; ++i)
        parts.emplace_back(take(list, ','));
    return parts;
}

/* "f32[512x512]" */
void parse_type(std::string_view type, Spec& spec, const std::string& what) {
    const size_t bracket = type.find('[');
    if (bracket == std::string_view::npos || !type.ends_with(']')) {
        malformed(what, text("'", type, "' is not a type with a shape, as f32[1024] or u8[480x640x3] are"));
    }
    const std::optional<Element> element = parse_element(type.substr(0, bracket));
    if (!element) {
        malformed(what, text("'", type.substr(0, bracket),
                             "' is no element type; known are f16 f32 f64 i8 i16 i32 i64 u8 u16 u32 u64"));
    }
    spec.element = *element;
    std::string_view extents = type.substr(bracket + 1, type.size() - bracket - 2);
    do {
        const std::string_view extent = take(extents, 'x');
        const std::optional<uint64_t> value = parse_unsigned(extent);
        if (!value || *value == 0) malformed(what, text("'", extent, "' in ", type, " is not a size above 0"));
        spec.shape.push_back(*value);
        if (spec.shape.size() > kMaxDimensions) malformed(what, text("more than ", kMaxDimensions, " dimensions"));
    } while (!extents.empty() || type[type.size() - 2] == 'x');
}

void parse_pair(std::string_view pair, Spec& spec, bool second_needed, const std::string& what) {
    const std::vector<std::string> parts = split(pair);
    if (parts.size() > 2 || (second_needed && parts.size() != 2)) {
        malformed(what, text("'", pair, "' is not ", second_needed ? "LOW,HIGH" : "START[,STEP]"));
    }
    spec.first = parts[0];
    if (parts.size() == 2) spec.second = parts[1];
}

void parse_range(std::string_view rest, Spec& spec, const std::string& what) {
    spec.kind = SpecKind::Range;
    parse_type(take(rest, ':'), spec, what);
    spec.first = "0";
    spec.second = "1";
    if (!rest.empty()) parse_pair(rest, spec, false, what);
}

void parse_constant(std::string_view rest, Spec& spec, const std::string& what) {
    spec.kind = SpecKind::Constant;
    spec.first = take(rest, ':');
    parse_type(rest, spec, what);
}

void parse_random(std::string_view rest, Spec& spec, const std::string& what) {
    spec.kind = SpecKind::Random;
    parse_type(take(rest, ':'), spec, what);
    while (!rest.empty()) {
        std::string_view part = take(rest, ':');
        if (!part.starts_with("seed=")) {
            parse_pair(part, spec, true, what);
            continue;
        }
        part.remove_prefix(5);
        const std::optional<uint64_t> seed = parse_unsigned(part);
        if (!seed) malformed(what, text("seed '", part, "' is not a whole number from 0 to 2^64 - 1"));
        spec.seed = *seed;
    }
}

void parse_hex(std::string_view digits, Spec& spec, const std::string& what) {
    spec.kind = SpecKind::Bytes;
    if (digits.empty() || digits.size() % 2 != 0) malformed(what, "hex: takes two digits for each byte");
    for (size_t i = 0; i < digits.size(); i += 2) {
        const std::optional<uint64_t> byte = parse_unsigned(text("0x", digits.substr(i, 2)));
        if (!byte) malformed(what, text("'", digits.substr(i, 2), "' is not a hexadecimal byte"));
        spec.bytes.push_back(static_cast<std::byte>(*byte));
    }
}

void parse_local(std::string_view size, Spec& spec, const std::string& what) {
    spec.kind = SpecKind::Local;
    std::optional<uint64_t> bytes = parse_unsigned(size);
    if (!bytes) {
        parse_type(size, spec, what);
        bytes = byte_count(spec.element, spec.shape);
    }
    if (!bytes || *bytes == 0 || *bytes > UINT32_MAX) malformed(what, text("'", size, "' bytes of local memory"));
    spec.local_bytes = *bytes;
}

} // namespace

KeyedSpec split_key(std::string_view argument) {
    const size_t equals = argument.find('=');
    if (equals == std::string_view::npos || equals == 0) return {"", std::string(argument)};
    for (const char c : argument.substr(0, equals)) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') return {"", std::string(argument)};
    }
    return {std::string(argument.substr(0, equals)), std::string(argument.substr(equals + 1))};
}

Spec parse_spec(const std::string& written, const std::string& what) {
    Spec spec;
    spec.written = written;
    if (written.empty()) malformed(what, "nothing is given");
    if (written == "null") return spec;
    if (written[0] == '@') {
        spec.kind = SpecKind::File;
        spec.path = written.substr(1);
        if (!is_array_path(spec.path)) malformed(what, "'" + spec.path + "' is not a .npy or .png file");
        return spec;
    }
    std::string_view rest = written;
    const std::string_view form = take(rest, ':');
    if (form.size() == written.size()) {
        spec.kind = SpecKind::Numbers;
        spec.numbers = split(written);
    } else if (form == "zeros") {
        spec.kind = SpecKind::Zeros;
        parse_type(rest, spec, what);
    } else if (form == "range") {
        parse_range(rest, spec, what);
    } else if (form == "const") {
        parse_constant(rest, spec, what);
    } else if (form == "random") {
        parse_random(rest, spec, what);
    } else if (form == "hex") {
        parse_hex(rest, spec, what);
    } else if (form == "local") {
        parse_local(rest, spec, what);
    } else {
        malformed(what, text("'", form, ":' is no form of argument"));
    }
    return spec;
}

bool is_array_spec(const Spec& spec) {
    return spec.kind <= SpecKind::Random;
}

bool depends_on_device(const std::string& path) {
    return path.find(kDevice) != std::string::npos;
}

std::string path_for_device(const std::string& path, const std::string& device) {
    std::string safe = device;
    for (char& c : safe) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '.') c = '-';
    }
    std::string result = path;
    for (size_t at = result.find(kDevice); at != std::string::npos; at = result.find(kDevice, at + safe.size())) {
        result.replace(at, kDevice.size(), safe);
    }
    return result;
}

Array load_array(const Spec& spec, const std::string& device, const std::string& what) {
    if (spec.kind == SpecKind::File) return read_array(path_for_device(spec.path, device));
    Array array = make_array(spec.element, spec.shape, what);
    if (spec.kind == SpecKind::Range) fill_range(array, spec.first, spec.second, what);
    if (spec.kind == SpecKind::Constant) fill_constant(array, spec.first, what);
    if (spec.kind == SpecKind::Random) fill_random(array, spec.seed, spec.first, spec.second, what);
    return array;
}

} // namespace qiao::cli
