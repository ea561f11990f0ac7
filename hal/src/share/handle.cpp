#include "share/handle.h"

#include <algorithm>
#include <cinttypes>
#include <iterator>

namespace qiao {
namespace {

constexpr uint64_t kMagic = 0x0065726168736971;  // "qishare"
constexpr uint32_t kVersion = 1;

constexpr const char* kNames[] = {"", "host pointer", "host file", "opaque descriptor", "dma-buf", "timeline"};
static_assert(std::size(kNames) == QIAO_SHARE_TYPE_TIMELINE + 1);

qiao_status refuse(const char* remedy) {
    set_remedy(remedy);
    return last_error().status;
}

}  // namespace

const char* share_type_name(qiao_share_type type) {
    return type < std::size(kNames) ? kNames[type] : "unknown";
}

std::string share_type_names(uint32_t types) {
    std::string names;
    for (qiao_share_type type = 1; type < std::size(kNames); ++type)
        if ((types >> type & 1) != 0) names += (names.empty() ? "" : ", ") + std::string(kNames[type]);
    return names.empty() ? "none" : names;
}

qiao_share_handle make_handle(qiao_share_type type, uint64_t size_bytes) {
    qiao_share_handle handle{};
    handle.magic = kMagic;
    handle.version = kVersion;
    handle.type = type;
    handle.size_bytes = size_bytes;
    return handle;
}

qiao_status check_handle(const qiao_share_handle& handle) {
    if (handle.magic != kMagic) {
        fail(QIAO_ERROR_INVALID_ARGUMENT, "the handle begins with 0x%" PRIx64 ", which is no handle of Qiao's: they begin with 0x%" PRIx64, handle.magic, kMagic);
        return refuse("carry the 128 bytes of qiao_share_handle over as they are");
    }
    if (handle.version != kVersion) {
        fail(QIAO_ERROR_UNSUPPORTED, "the handle is of version %u, and this library's are of version %u", handle.version, kVersion);
        return refuse("use the same release of Qiao in both processes");
    }
    if (handle.type < QIAO_SHARE_TYPE_HOST_FILE || handle.type > QIAO_SHARE_TYPE_TIMELINE) {
        fail(QIAO_ERROR_INVALID_ARGUMENT, "the handle is of type %u, and those of handles are %u to %u", handle.type, QIAO_SHARE_TYPE_HOST_FILE, QIAO_SHARE_TYPE_TIMELINE);
        return refuse("carry the 128 bytes of qiao_share_handle over as they are");
    }
    const auto* reserved = std::find_if(std::begin(handle.reserved), std::end(handle.reserved), [](uint64_t word) { return word != 0; });
    if (reserved != std::end(handle.reserved)) {
        fail(QIAO_ERROR_INVALID_ARGUMENT, "the handle has 0x%" PRIx64 " in its reserved bytes, which must be 0", *reserved);
        return refuse("carry the 128 bytes of qiao_share_handle over as they are");
    }
    return QIAO_OK;
}

}  // namespace qiao
