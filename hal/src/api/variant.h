// The choice of a package's variant for a device: what is said of each variant is said once, here, and read in the error record, in the
// program's properties and by qiao_program_explain. The rules are in hal/docs/packages.md, "The choice".
#pragma once

#include <string>
#include <vector>

#include "object/device.h"
#include "package/package.h"
#include "qiao/program.h"

namespace qiao {

struct Verdict {
    qiao_verdict verdict = QIAO_VERDICT_REFUSED;
    uint32_t score = 0;
    std::string reason;
    std::string remedy;  // of a damaged variant
};

struct Choice {
    static constexpr size_t kNone = SIZE_MAX;

    std::vector<Verdict> verdicts;  // in the package's order
    size_t taken = kNone;
};

// Position of `format` in a device's list "best;next", or -1.
int format_rank(const std::string& formats, const std::string& format);

// What the plugin is told of a variant; everything given must outlive it.
qiao_plugin_program_desc describe(const package::Variant& variant, const package::Blob& blob, const std::string& options);

// Asks the device's plugin about each variant that the core itself does not refuse. The device is open.
Choice choose_variant(qiao_device* device, const package::Package& package);

// "host-elf x86_64-v3: taken (score 4)", one for each variant, with `separator` between.
std::string explain(const package::Package& package, const Choice& choice, const char* separator);

// Another device of the instance that the package has something for: "opencl:0 (opencl-c)", several with ", " between; "" = none.
std::string devices_that_would_do(qiao_device* than, const package::Package& package);

}  // namespace qiao
