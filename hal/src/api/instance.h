// How objects keep their instance alive. The last use tears everything down: work is waited for, devices are closed.
#pragma once

#include "object/instance.h"

namespace qiao {

inline void instance_add_use(qiao_instance* instance) {
    add_use(instance);
}
void instance_drop_use(qiao_instance* instance);

}  // namespace qiao
