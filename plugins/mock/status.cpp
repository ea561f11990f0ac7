// One list: the model's codes and the ABI's.
#include "status.h"

namespace qiao::mock_plugin {

qiao_status status_of(mock::Code code) noexcept {
    switch (code) {
        case mock::Code::kOk:
            return QIAO_OK;
        case mock::Code::kInvalid:
            return QIAO_ERROR_INVALID_ARGUMENT;
        case mock::Code::kOutOfRange:
            return QIAO_ERROR_OUT_OF_RANGE;
        case mock::Code::kOutOfMemory:
            return QIAO_ERROR_OUT_OF_MEMORY;
        case mock::Code::kUnsupported:
            return QIAO_ERROR_UNSUPPORTED;
        case mock::Code::kNotFound:
            return QIAO_ERROR_NOT_FOUND;
        case mock::Code::kLost:
            return QIAO_ERROR_DEVICE_LOST;
        case mock::Code::kCancelled:
            return QIAO_ERROR_CANCELLED;
        case mock::Code::kDamaged:
            return QIAO_ERROR_PACKAGE;
    }
    return QIAO_ERROR_PLUGIN;
}

[[gnu::hot]] qiao_status report(const plugin::Host& host, const mock::Status& status) noexcept {
    if (status.ok()) [[likely]]
        return QIAO_OK;
    return plugin::guarded(host, "mock", [&] {
        return host.fail({.status = status_of(status.code()), .message = status.message(), .remedy = status.remedy()});
    });
}

} // namespace qiao::mock_plugin
