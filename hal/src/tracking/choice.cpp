// Which way of finding host writes this process may use, and why not a better one.
#include <stdlib.h>

#include "object/error.h"
#include "tracking/host_view.h"
#include "tracking/write_watch.h"

namespace qiao {

qiao_status choose_tracking(TrackingChoice& out) {
    const char* variable = secure_getenv("QIAO_SHARED_TRACKING");
    const std::string wanted = variable == nullptr || *variable == '\0' ? "auto" : variable;
    for (const Tracking lesser : {Tracking::kCompare, Tracking::kFull}) {
        if (wanted != tracking_name(lesser)) continue;
        out = {lesser, "QIAO_SHARED_TRACKING=" + wanted + " asks for it", "unset QIAO_SHARED_TRACKING"};
        return QIAO_OK;
    }
    const bool forced = wanted == tracking_name(Tracking::kScan);
    if (!forced && wanted != "auto") {
        fail(QIAO_ERROR_INVALID_ARGUMENT, "QIAO_SHARED_TRACKING=%s names no way of finding host writes", wanted.c_str());
        set_remedy("set it to auto, scan, compare or full, or unset it");
        return QIAO_ERROR_INVALID_ARGUMENT;
    }
    WriteWatch::Obstacle obstacle;
    if (WriteWatch::get(obstacle) != nullptr) {
        out = {Tracking::kScan, "", ""};
    } else if (forced) {
        fail(QIAO_ERROR_UNSUPPORTED, "QIAO_SHARED_TRACKING=scan is impossible: %s", obstacle.reason.c_str());
        set_remedy(obstacle.remedy + "; or unset QIAO_SHARED_TRACKING");
        return QIAO_ERROR_UNSUPPORTED;
    } else {
        out = {Tracking::kCompare, obstacle.reason, obstacle.remedy};
    }
    return QIAO_OK;
}

}  // namespace qiao
