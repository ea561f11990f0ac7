/* Sunrise: CUDA's driver interface with other names and numbers, modules with a size. */
#include "core/family.h"

namespace fakes {

const Family& family() {
    static const Family data = {
        .id = "TA",
        .codes = tang_codes(),
        .error_prefix = "TANG_ERROR_",
        .success_name = "TANG_SUCCESS",
        .attributes = tang_attributes(),
        .visible_variable = nullptr,
        .image_family = "ta",
        .extra_end = 0,
        .implicit_context = false,
        .managed = false,
        .warp_size = 32,
        .capability_major = 1,
        .capability_minor = 0,
        .architecture = 0,
        .extra_launches = false,
        .maps_pinned_memory = false,
    };
    return data;
}

} // namespace fakes
