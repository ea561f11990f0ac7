// magic, u32 state (0 = nothing harmful), u32 bytes of reason, u32 bytes of remedy, both texts, u64 fingerprint of all that.
#include "loader/probe_report.h"

#include "qiao/plugin.h"
#include "qiao/types.h"

namespace qiao::loader {
namespace {

constexpr std::string_view kMagic("\x89QPROBE1", 8);
static_assert(kMagic[0] == kReportBegin);

std::string number(uint32_t value) {
    return std::to_string(value);
}

} // namespace

std::string probe_protocol() {
    return number(QIAO_VERSION_MAJOR) + "." + number(QIAO_VERSION_MINOR) + "." + number(QIAO_VERSION_PATCH) + "/" +
           number(QIAO_PLUGIN_ABI_MAJOR) + "." + number(QIAO_PLUGIN_ABI_MINOR);
}

uint64_t fingerprint(std::string_view bytes) {
    uint64_t hash = 0xcbf29ce484222325;
    for (const char byte : bytes)
        hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    return hash;
}

std::string encode_report(const Verdict& harmful) {
    const Problem nothing{0, "", ""};
    const Problem& problem = harmful ? *harmful : nothing;
    const std::string reason = printable(problem.reason, kMaxReportText - 3);
    const std::string remedy = printable(problem.remedy, kMaxReportText - 3);
    std::string bytes(kMagic);
    append<uint32_t>(bytes, problem.state);
    append(bytes, static_cast<uint32_t>(reason.size()));
    append(bytes, static_cast<uint32_t>(remedy.size()));
    bytes += reason + remedy;
    append(bytes, fingerprint(bytes));
    return bytes;
}

bool decode_report(std::string_view bytes, Verdict& out_harmful) {
    const std::string_view all = bytes;
    uint32_t state = 0, reason = 0, remedy = 0;
    uint64_t expected = 0;
    if (!bytes.starts_with(kMagic)) return false;
    bytes.remove_prefix(kMagic.size());
    if (!take(bytes, state) || !take(bytes, reason) || !take(bytes, remedy)) return false;
    if (reason > kMaxReportText || remedy > kMaxReportText || bytes.size() != reason + remedy + sizeof expected)
        return false;
    const std::string_view texts = bytes.substr(0, reason + remedy);
    bytes.remove_prefix(texts.size());
    take(bytes, expected);
    if (fingerprint(all.substr(0, all.size() - sizeof expected)) != expected) return false;
    if (state > QIAO_CANDIDATE_STATE_FAILED || (state == 0) != (reason == 0)) return false;
    out_harmful.reset();
    if (state != 0) {
        out_harmful = Problem{state, printable(texts.substr(0, reason), kMaxReportText),
                              printable(texts.substr(reason), kMaxReportText), true};
    }
    return true;
}

} // namespace qiao::loader
