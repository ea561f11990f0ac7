/* NVIDIA, Iluvatar, Denglin: CUDA's own driver interface. */
#include "core/family.h"

namespace fakes {

const Family& family() {
    static const Family data = {
        .id = "CU",
        .codes = cuda_codes(),
        .error_prefix = "CUDA_ERROR_",
        .success_name = "CUDA_SUCCESS",
        .attributes = cuda_attributes(),
        .visible_variable = "CUDA_VISIBLE_DEVICES",
        .image_family = "cu",
        .extra_end = 0,
        .implicit_context = false,
        .managed = true,
        .warp_size = 32,
        .capability_major = 8,
        .capability_minor = 0,
        .architecture = 0,
    };
    return data;
}

} // namespace fakes
