// Why a handle was refused, in words.
#include "object/handle.h"

namespace qiao {
namespace {

const char* kind_name(uint64_t tag) {
    switch (tag) {
        case kTagInstance: return "instance";
        case kTagDevice: return "device";
        case kTagMemory: return "memory";
        case kTagProgram: return "program";
        case kTagKernel: return "kernel";
        case kTagQueue: return "queue";
        case kTagPool: return "pool";
        case kTagTimeline: return "timeline";
        case kTagTopology: return "topology";
        default: return nullptr;
    }
}

}  // namespace

qiao_status fail_handle(const Header* header, uint64_t expected_tag, const char* argument) noexcept {
    const char* expected = kind_name(expected_tag);
    if (header == nullptr) return fail(QIAO_ERROR_INVALID_HANDLE, "'%s' is null; a %s is needed", argument, expected);
    const uint64_t word = header->word.load(std::memory_order_relaxed);
    if ((word & ~kStateMask) == kTagDestroyed) {  // the core may have used it a little longer, and it may have failed then
        return fail(QIAO_ERROR_INVALID_HANDLE, "'%s' was released or its parent was; a live %s is needed", argument, expected);
    }
    const char* actual = kind_name(word & ~kStateMask);
    if (actual == nullptr) return fail(QIAO_ERROR_INVALID_HANDLE, "'%s' is not a handle of Qiao; a %s is needed", argument, expected);
    if (actual != expected) return fail(QIAO_ERROR_INVALID_HANDLE, "'%s' is a %s; a %s is needed", argument, actual, expected);
    if ((word & kStateForked) != 0) {
        fail(QIAO_ERROR_FORKED, "'%s' was made by the parent process of this fork and cannot be used here", argument);
        set_remedy("create a new instance in the child");
        return QIAO_ERROR_FORKED;
    }
    if ((word & kStateLost) != 0) {
        fail(QIAO_ERROR_DEVICE_LOST, "'%s' is on a device that was lost or reset", argument);
        set_remedy("release it; after qiao_device_reset make it anew");
        return QIAO_ERROR_DEVICE_LOST;
    }
    return fail(QIAO_ERROR_CANCELLED, "'%s' failed: an earlier operation of it ended with an error", argument);
}

}  // namespace qiao
