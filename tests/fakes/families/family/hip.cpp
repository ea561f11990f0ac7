/* Hygon, AMD: HIP's interface. */
#include "core/family.h"

namespace fakes {

const Family& family() {
    static const Family data = {
        .id = "HIP",
        .codes = hip_codes(),
        .error_prefix = "hipError",
        .success_name = "hipSuccess",
        .attributes = hip_attributes(),
        .visible_variable = "HIP_VISIBLE_DEVICES",
        .image_family = "hip",
        .extra_end = 3,
        .implicit_context = true,
        .managed = true,
        .warp_size = 64,
        .capability_major = 9,
        .capability_minor = 0,
        .architecture = 906,
    };
    return data;
}

} // namespace fakes
