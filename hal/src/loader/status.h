// Names of statuses, and which of them a plugin may return.
#pragma once

#include "qiao/status.h"

namespace qiao::loader {

// Null for a number that is no status.
inline const char* status_name(qiao_status status) {
    switch (status) {
#define STATUS_CASE(name, code, text) \
    case code:                        \
        return "QIAO_" #name;
        QIAO_STATUS_MAP(STATUS_CASE)
#undef STATUS_CASE
        default:
            return nullptr;
    }
}

inline bool is_error(qiao_status status) {
    return status < 0 && status_name(status) != nullptr;
}

} // namespace qiao::loader
