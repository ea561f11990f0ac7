/* Biren: CUDA's driver interface with other names, launches by a configuration. */
#include "core/family.h"

namespace fakes {

const Family& family() {
    static const Family data = {
        .id = "SUDRV",
        .codes = cuda_codes(),
        .error_prefix = "SU_ERROR_",
        .success_name = "suSuccess",
        .attributes = cuda_attributes(),
        .visible_variable = "SUPA_VISIBLE_DEVICES",
        .image_family = "sudrv",
        .extra_end = 0,
        .implicit_context = false,
        .managed = false,
        .warp_size = 32,
        .capability_major = 1,
        .capability_minor = 0,
        .architecture = 0,
    };
    return data;
}

} // namespace fakes
