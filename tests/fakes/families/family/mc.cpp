/* MetaX: HIP's interface under another prefix, with primary contexts. */
#include "core/family.h"

namespace fakes {

const Family& family() {
    static const Family data = {
        .id = "MC",
        .codes = hip_codes(),
        .error_prefix = "mcError",
        .success_name = "mcSuccess",
        .attributes = maca_attributes(),
        .visible_variable = "MACA_VISIBLE_DEVICES",
        .image_family = "mc",
        .extra_end = 3,
        .implicit_context = true,
        .managed = true,
        .warp_size = 64,
        .capability_major = 9,
        .capability_minor = 0,
        .architecture = 0,
    };
    return data;
}

} // namespace fakes
