/* T-Head: CUDA's driver interface under another prefix. */
#include "core/family.h"

namespace fakes {

const Family& family() {
    static const Family data = {
        .id = "HG",
        .codes = cuda_codes(),
        .error_prefix = "HGGC_ERROR_",
        .success_name = "HGGC_SUCCESS",
        .attributes = cuda_attributes(),
        .visible_variable = "CUDA_VISIBLE_DEVICES",
        .image_family = "hg",
        .extra_end = 0,
        .implicit_context = false,
        .managed = true,
        .warp_size = 32,
        .capability_major = 1,
        .capability_minor = 0,
        .architecture = 0,
    };
    return data;
}

} // namespace fakes
