// The model's results as the plugin ABI says them.
#pragma once

#include "../common/host.h"
#include "mock/status.h"

namespace qiao::mock_plugin {

// Hands a failure's text to the host. Ok is QIAO_OK, without a call.
qiao_status report(const plugin::Host& host, const mock::Status& status) noexcept;

qiao_status status_of(mock::Code code) noexcept;

} // namespace qiao::mock_plugin
