// The names that clang 15 declares in its opencl-c.h for any version of OpenCL C, without those of vendors' extensions. Conversions and
// vector loads and stores stand for all their vector widths and roundings.
#include "builtins.h"

#include <algorithm>
#include <iterator>

namespace qiao::compiler {
namespace {

constexpr std::string_view kNames[] = {
    "abs", "abs_diff", "acos", "acosh", "acospi", "add_sat", "all", "any", "asin", "asinh", "asinpi", "async_work_group_copy",
    "async_work_group_strided_copy", "atan", "atan2", "atan2pi", "atanh", "atanpi", "atom_add", "atom_and", "atom_cmpxchg",
    "atom_dec", "atom_inc", "atom_max", "atom_min", "atom_or", "atom_sub", "atom_xchg", "atom_xor", "atomic_add", "atomic_and",
    "atomic_cmpxchg", "atomic_compare_exchange_strong", "atomic_compare_exchange_strong_explicit", "atomic_compare_exchange_weak",
    "atomic_compare_exchange_weak_explicit", "atomic_dec", "atomic_exchange", "atomic_exchange_explicit", "atomic_fetch_add",
    "atomic_fetch_add_explicit", "atomic_fetch_and", "atomic_fetch_and_explicit", "atomic_fetch_max", "atomic_fetch_max_explicit",
    "atomic_fetch_min", "atomic_fetch_min_explicit", "atomic_fetch_or", "atomic_fetch_or_explicit", "atomic_fetch_sub",
    "atomic_fetch_sub_explicit", "atomic_fetch_xor", "atomic_fetch_xor_explicit", "atomic_flag_clear", "atomic_flag_clear_explicit",
    "atomic_flag_test_and_set", "atomic_flag_test_and_set_explicit", "atomic_inc", "atomic_init", "atomic_load",
    "atomic_load_explicit", "atomic_max", "atomic_min", "atomic_or", "atomic_store", "atomic_store_explicit", "atomic_sub",
    "atomic_work_item_fence", "atomic_xchg", "atomic_xor", "barrier", "bit_reverse", "bitfield_extract_signed",
    "bitfield_extract_unsigned", "bitfield_insert", "bitselect", "capture_event_profiling_info", "cbrt", "ceil", "clamp", "clz",
    "convert_char", "convert_double", "convert_float", "convert_half", "convert_int", "convert_long", "convert_short",
    "convert_uchar", "convert_uint", "convert_ulong", "convert_ushort", "copysign", "cos", "cosh", "cospi", "create_user_event",
    "cross", "ctz", "degrees", "distance", "dot", "dot_4x8packed_ss_int", "dot_4x8packed_su_int", "dot_4x8packed_us_int",
    "dot_4x8packed_uu_uint", "dot_acc_sat", "dot_acc_sat_4x8packed_ss_int", "dot_acc_sat_4x8packed_su_int",
    "dot_acc_sat_4x8packed_us_int", "dot_acc_sat_4x8packed_uu_uint", "enqueue_kernel", "enqueue_marker", "erf", "erfc", "exp",
    "exp10", "exp2", "expm1", "fabs", "fast_distance", "fast_length", "fast_normalize", "fdim", "floor", "fma", "fmax", "fmin",
    "fmod", "fract", "frexp", "get_default_queue", "get_enqueued_local_size", "get_enqueued_num_sub_groups", "get_fence",
    "get_global_id", "get_global_linear_id", "get_global_offset", "get_global_size", "get_group_id", "get_image_array_size",
    "get_image_channel_data_type", "get_image_channel_order", "get_image_depth", "get_image_dim", "get_image_height",
    "get_image_num_mip_levels", "get_image_num_samples", "get_image_width", "get_kernel_preferred_work_group_size_multiple",
    "get_kernel_work_group_size", "get_local_id", "get_local_linear_id", "get_local_size", "get_max_sub_group_size", "get_num_groups",
    "get_num_sub_groups", "get_sub_group_eq_mask", "get_sub_group_ge_mask", "get_sub_group_gt_mask", "get_sub_group_id",
    "get_sub_group_le_mask", "get_sub_group_local_id", "get_sub_group_lt_mask", "get_sub_group_size", "get_work_dim", "hadd",
    "half_cos", "half_divide", "half_exp", "half_exp10", "half_exp2", "half_log", "half_log10", "half_log2", "half_powr",
    "half_recip", "half_rsqrt", "half_sin", "half_sqrt", "half_tan", "hypot", "ilogb", "is_valid_event", "is_valid_reserve_id",
    "isequal", "isfinite", "isgreater", "isgreaterequal", "isinf", "isless", "islessequal", "islessgreater", "isnan", "isnormal",
    "isnotequal", "isordered", "isunordered", "ldexp", "length", "lgamma", "lgamma_r", "log", "log10", "log1p", "log2", "logb", "mad",
    "mad24", "mad_hi", "mad_sat", "max", "maxmag", "mem_fence", "min", "minmag", "mix", "modf", "mul24", "mul_hi", "nan",
    "native_cos", "native_divide", "native_exp", "native_exp10", "native_exp2", "native_log", "native_log10", "native_log2",
    "native_powr", "native_recip", "native_rsqrt", "native_sin", "native_sqrt", "native_tan", "ndrange_1D", "ndrange_2D",
    "ndrange_3D", "nextafter", "normalize", "popcount", "pow", "pown", "powr", "prefetch", "printf", "radians", "read_imagef",
    "read_imageh", "read_imagei", "read_imageui", "read_mem_fence", "read_pipe", "release_event", "remainder", "remquo",
    "retain_event", "rhadd", "rint", "rootn", "rotate", "round", "rsqrt", "select", "set_user_event_status", "shuffle", "shuffle2",
    "sign", "signbit", "sin", "sincos", "sinh", "sinpi", "smoothstep", "sqrt", "step", "sub_group_all", "sub_group_any",
    "sub_group_ballot", "sub_group_ballot_bit_count", "sub_group_ballot_bit_extract", "sub_group_ballot_exclusive_scan",
    "sub_group_ballot_find_lsb", "sub_group_ballot_find_msb", "sub_group_ballot_inclusive_scan", "sub_group_barrier",
    "sub_group_broadcast", "sub_group_broadcast_first", "sub_group_clustered_reduce_add", "sub_group_clustered_reduce_and",
    "sub_group_clustered_reduce_logical_and", "sub_group_clustered_reduce_logical_or", "sub_group_clustered_reduce_logical_xor",
    "sub_group_clustered_reduce_max", "sub_group_clustered_reduce_min", "sub_group_clustered_reduce_mul",
    "sub_group_clustered_reduce_or", "sub_group_clustered_reduce_xor", "sub_group_clustered_rotate", "sub_group_elect",
    "sub_group_inverse_ballot", "sub_group_non_uniform_all", "sub_group_non_uniform_all_equal", "sub_group_non_uniform_any",
    "sub_group_non_uniform_broadcast", "sub_group_non_uniform_reduce_add", "sub_group_non_uniform_reduce_and",
    "sub_group_non_uniform_reduce_logical_and", "sub_group_non_uniform_reduce_logical_or", "sub_group_non_uniform_reduce_logical_xor",
    "sub_group_non_uniform_reduce_max", "sub_group_non_uniform_reduce_min", "sub_group_non_uniform_reduce_mul",
    "sub_group_non_uniform_reduce_or", "sub_group_non_uniform_reduce_xor", "sub_group_non_uniform_scan_exclusive_add",
    "sub_group_non_uniform_scan_exclusive_and", "sub_group_non_uniform_scan_exclusive_logical_and",
    "sub_group_non_uniform_scan_exclusive_logical_or", "sub_group_non_uniform_scan_exclusive_logical_xor",
    "sub_group_non_uniform_scan_exclusive_max", "sub_group_non_uniform_scan_exclusive_min",
    "sub_group_non_uniform_scan_exclusive_mul", "sub_group_non_uniform_scan_exclusive_or", "sub_group_non_uniform_scan_exclusive_xor",
    "sub_group_non_uniform_scan_inclusive_add", "sub_group_non_uniform_scan_inclusive_and",
    "sub_group_non_uniform_scan_inclusive_logical_and", "sub_group_non_uniform_scan_inclusive_logical_or",
    "sub_group_non_uniform_scan_inclusive_logical_xor", "sub_group_non_uniform_scan_inclusive_max",
    "sub_group_non_uniform_scan_inclusive_min", "sub_group_non_uniform_scan_inclusive_mul", "sub_group_non_uniform_scan_inclusive_or",
    "sub_group_non_uniform_scan_inclusive_xor", "sub_group_reduce_add", "sub_group_reduce_max", "sub_group_reduce_min",
    "sub_group_rotate", "sub_group_scan_exclusive_add", "sub_group_scan_exclusive_max", "sub_group_scan_exclusive_min",
    "sub_group_scan_inclusive_add", "sub_group_scan_inclusive_max", "sub_group_scan_inclusive_min", "sub_group_shuffle",
    "sub_group_shuffle_down", "sub_group_shuffle_up", "sub_group_shuffle_xor", "sub_sat", "tan", "tanh", "tanpi", "tgamma",
    "to_global", "to_local", "to_private", "trunc", "upsample", "vload", "vload_half", "vloada_half", "vstore", "vstore_half",
    "vstorea_half", "wait_group_events", "work_group_all", "work_group_any", "work_group_barrier", "work_group_broadcast",
    "work_group_reduce_add", "work_group_reduce_max", "work_group_reduce_min", "work_group_scan_exclusive_add",
    "work_group_scan_exclusive_max", "work_group_scan_exclusive_min", "work_group_scan_inclusive_add",
    "work_group_scan_inclusive_max", "work_group_scan_inclusive_min", "write_imagef", "write_imageh", "write_imagei", "write_imageui",
    "write_mem_fence", "write_pipe",
};
static_assert(std::is_sorted(std::begin(kNames), std::end(kNames)));

/* "convert_float4_sat_rte" -> "convert_float", "vstore_half_rtz" -> "vstore_half"; others as they are. */
std::string_view stem_of(std::string_view name) {
    if (!name.starts_with("convert_") && !name.starts_with("vload") && !name.starts_with("vstore")) return name;
    for (const std::string_view rounding : {"_rte", "_rtz", "_rtp", "_rtn"}) {
        if (name.ends_with(rounding)) name.remove_suffix(rounding.size());
    }
    if (name.ends_with("_sat")) name.remove_suffix(4);
    for (const std::string_view width : {"16", "2", "3", "4", "8"}) {
        if (!name.ends_with(width)) continue;
        name.remove_suffix(width.size());
        break;
    }
    return name;
}

} // namespace

bool is_builtin_function(std::string_view name) {
    return std::binary_search(std::begin(kNames), std::end(kNames), stem_of(name));
}

} // namespace qiao::compiler
