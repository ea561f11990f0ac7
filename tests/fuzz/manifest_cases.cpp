// Manifests of plugins: whole ones, cut ones, text of other kinds, and ones with keys that are wrong or too large.
#include "cases.h"
#include "loader/manifest.h"

using namespace qiao::loader;

namespace {

/* `more` begins with a comma. */
std::string with(std::string_view more) {
    return R"({"qiao_manifest": 1, "id": "p", "library": "../p.so", "abi": {"major": 1, "minor": 0})" + std::string(more) + "}\n";
}

std::string with_library(std::string_view library) {
    return R"({"qiao_manifest": 1, "id": "p", "library": ")" + std::string(library) + R"(", "abi": {"major": 1, "minor": 0}})" + "\n";
}

std::string nested(size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
}

std::string kinds_of_hardware(size_t count) {
    std::string list;
    for (size_t i = 0; i < count; ++i)
        list += (list.empty() ? "" : ", ") + std::string(R"({"drivers": ["d"]})");
    return with(R"(, "hardware": [)" + list + "]");
}

std::string utf16(std::string_view text, bool big_endian) {
    std::string wide = big_endian ? "\xfe\xff" : "\xff\xfe";
    for (const char c : text)
        wide += big_endian ? std::string{'\0', c} : std::string{c, '\0'};
    return wide;
}

std::string refusal_of(std::string_view bytes) {
    Manifest manifest;
    const Verdict problem = parse_manifest("p.json", std::string(bytes), manifest);
    return problem ? problem->reason : "";
}

} // namespace

Corpus manifest_corpus() {
    using namespace std::string_literals;
    const std::string small = with("");
    std::string with_returns = small;
    with_returns.insert(1, "\r\n");
    const std::string all_keys =
        R"({"qiao_manifest": 1, "id": "vendor-card_2", "library": "libvendor.so", "version": "2.1", "architecture": "x86_64",
 "description": "caf\u00e9 \ud83d\ude00", "abi": {"major": 1, "minor": 4294967295}, "x-own": [[[[1.5e3, null, true]]]]}
)";
    const std::string hardware = with(R"(, "hardware": [{"drivers": ["a-b_C"]}, {"pci_vendor": "0x1d94",
 "pci_devices": ["0x6210", "0x00ff"], "drivers": ["hycu", "hydcu"], "class": 1, "x-a": 2}])");
    return {"manifest",
            {
                {"whole-small.json", small, ""},
                {"whole-all-keys.json", all_keys, ""},
                {"whole-hardware.json", hardware, ""},
                {"whole-line-endings.json", with_returns, ""},
                {"whole-unknown-keys.json", with(R"(, "libary": "typo", "x-mine": 1, "vendor": {"abi": 1})"), ""},

                {"truncated-nothing-left.json", "", "is not valid JSON"},
                {"truncated-key.json", small.substr(0, 40), "is not valid JSON"},
                {"truncated-brace.json", small.substr(0, small.size() - 2), "is not valid JSON"},
                {"truncated-character.json", with(", \"description\": \"\xc3").substr(0, small.size() + 17), "is not valid JSON"},
                {"extended.json", small + small, "is not valid JSON"},

                {"foreign-utf-16.json", utf16(small, false), "is not valid JSON"},
                {"foreign-utf-16-big-endian.json", utf16(small, true), "is not valid JSON"},
                {"foreign-latin-1.json", with(", \"description\": \"caf\xe9\""), "is not valid JSON"},
                {"foreign-library.json", "\x7f" "ELF\x02\x01\x01\0\0\0"s, "is not valid JSON"},
                {"foreign-architecture.json", with(R"(, "architecture": "s390x")"), ""},
                {"foreign-abi.json", R"({"qiao_manifest": 1, "id": "p", "library": "p.so", "abi": {"major": 2, "minor": 0}})", ""},
                {"foreign-format.json", R"({"qiao_manifest": 2, "id": "p", "library": "p.so", "abi": {"major": 1, "minor": 0}})",
                 "the key \"qiao_manifest\" is 2"},

                {"oversized-depth.json", with(", \"x-deep\": " + nested(8)), "is nested deeper than 8 levels"},
                {"oversized-array.json", nested(1000), "is nested deeper than 8 levels"},
                {"oversized-id.json", R"({"qiao_manifest": 1, "id": ")" + std::string(kMaxIdLength + 1, 'a') + R"("})", "the key \"id\" is"},
                {"oversized-version.json", with(", \"version\": \"" + std::string(1025, '1') + "\""), "the key \"version\" is"},
                {"oversized-library.json", with_library(std::string(4097, 'l')), "the key \"library\" is"},
                {"oversized-minor.json", R"({"qiao_manifest": 1, "id": "p", "library": "p.so", "abi": {"major": 1, "minor": 4294967296}})",
                 "the key \"abi.minor\" is 4294967296"},
                {"oversized-hardware.json", kinds_of_hardware(kMaxHardwareKinds + 1), "hardware"},

                {"overlapping-keys.json", with(R"(, "id": "q")"), "the key \"id\" is there twice"},
                {"overlapping-escaped-keys.json", with(R"(, "\u0069d": "q")"), "the key \"id\" is there twice"},
                {"nul-byte.json", with(", \"description\": \"a\0b\""s), "it has a NUL byte"},
                {"nul-byte-escaped.json", with_library("a\\u0000b.so"), "the key \"library\" is"},
                {"half-a-surrogate.json", with(R"(, "description": "\ud800")"), "is not valid JSON"},
                {"wrong-types.json", R"({"qiao_manifest": 1, "id": "core", "library": "", "abi": [], "unknown": -0})", "the key \"id\" is"},
                {"empty-hardware.json", with(R"(, "hardware": [])"), "hardware"},
            },
            refusal_of};
}
