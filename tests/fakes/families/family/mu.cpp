/* Moore Threads: CUDA's driver interface under another prefix, images in an offload bundle. */
#include "core/family.h"

namespace fakes {

const Family& family() {
    static const Family data = {
        .id = "MU",
        .codes = cuda_codes(),
        .error_prefix = "MUSA_ERROR_",
        .success_name = "MUSA_SUCCESS",
        .attributes = cuda_attributes(),
        .visible_variable = "MUSA_VISIBLE_DEVICES",
        .image_family = "mu",
        .extra_end = 0,
        .implicit_context = false,
        .managed = true,
        .warp_size = 32,
        .capability_major = 2,
        .capability_minor = 2,
        .architecture = 0,
    };
    return data;
}

} // namespace fakes
