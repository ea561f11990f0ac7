// The reader of plugin manifests under any bytes: it refuses them with a reason that fits a line of a log, or everything it
// took is within its limits.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "driver.h"
#include "loader/manifest.h"

using namespace qiao::loader;

namespace {

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
