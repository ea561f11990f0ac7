// The reader of plugin manifests under any bytes: it refuses them with a reason that fits a line of a log, or everything it
// took is within its limits.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "driver.h"
#include "loader/manifest.h"

using namespace qiao::loader;

namespace {

const char* const kSeeds[] = {
    R"({"qiao_manifest": 1, "id": "p", "library": "../p.so", "abi": {"major": 1, "minor": 0}})",
    R"({"qiao_manifest": 1, "id": "vendor-card_2", "library": "libvendor.so", "version": "2.1", "architecture": "x86_64",
        "description": "caf\u00e9 \ud83d\ude00", "abi": {"major": 1, "minor": 4294967295}, "x-own": [[[[1.5e3, null, true]]]]})",
    R"({"qiao_manifest": 1, "id": "p", "library": "p.so", "abi": {"major": 1, "minor": 0}, "hardware": [{"drivers": ["a-b_C"]},
        {"pci_vendor": "0x1d94", "pci_devices": ["0x6210", "0x00ff"], "drivers": ["hycu", "hydcu"], "class": 1, "x-a": 2}]})",
    R"({"qiao_manifest": 1, "id": "core", "library": "", "abi": {}, "abi": [], "unknown": -0})",
    "[[[[[[[[[[]]]]]]]]]]",
};

void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "fuzz.manifest: %s\n", what);
    std::abort();
}

bool fits_a_line(const std::string& text, size_t limit) {
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
    }
    return !text.empty() && text.size() <= limit;
}

} // namespace

std::vector<std::vector<uint8_t>> fuzz_seeds() {
    std::vector<std::vector<uint8_t>> seeds;
    for (const std::string_view seed : kSeeds)
        seeds.emplace_back(seed.begin(), seed.end());
    return seeds;
}

// Numbers of the mutator's are rarely text: one that became a control character is made a blank, so that the JSON holds.
void fuzz_repair(std::vector<uint8_t>& input) {
    for (uint8_t& byte : input) {
        if (byte < 0x20 || byte >= 0x7f) byte = ' ';
    }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Manifest manifest;
    const Verdict problem = parse_manifest("/m/p.json", {reinterpret_cast<const char*>(data), size}, manifest);
    require(manifest.id.empty() || is_plugin_id(manifest.id), "an id that is none");
    require(manifest.library.find('\0') == std::string::npos, "a NUL byte in the library's path");
    require(manifest.library.size() <= 4096 + 16 && manifest.version.size() <= 1024, "limits");
    require(manifest.hardware.size() <= kMaxHardwareKinds, "kinds of hardware");
    for (const HardwareMatch& kind : manifest.hardware) {
        require(kind.pci_vendor.empty() || kind.pci_vendor.size() == 6, "a vendor id");
        require(!kind.pci_vendor.empty() || !kind.drivers.empty(), "hardware that every machine has");
        for (const std::string& driver : kind.drivers)
            require(!driver.empty() && driver.find_first_of("/.") == std::string::npos, "a driver's name");
    }
    if (problem) {
        require(problem->state == QIAO_CANDIDATE_STATE_BAD_MANIFEST, "another state");
        require(fits_a_line(problem->reason, 1000) && fits_a_line(problem->remedy, 1000), "a refusal that fits no line");
        return 0;
    }
    require(!manifest.id.empty() && !manifest.library.empty(), "taken without id or library");
    if (const Verdict host = check_host(manifest)) require(fits_a_line(host->reason, 1000), "a host's refusal");
    Manifest again;
    require(!parse_manifest("/m/p.json", manifest.text, again) && again.id == manifest.id &&
                again.library == manifest.library && again.unknown_keys == manifest.unknown_keys,
            "a second reading differs");
    return 0;
}
