// Sums: each work-item adds its share, each group adds its items' sums as a tree in local memory and writes one number.
// Run it again on the groups' numbers, with one group, for the total. `scratch` has one element for each work-item of a group;
// the group size is a power of two.

#define DEFINE_SUM(name, type)                                                                             \
    kernel void name(global const type* values, global type* sums, uint count, local type* scratch) {      \
        const uint item = get_local_id(0);                                                                 \
        type sum = 0;                                                                                      \
        for (uint i = get_global_id(0); i < count; i += get_global_size(0)) sum += values[i];              \
        scratch[item] = sum;                                                                               \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                      \
        for (uint half_size = get_local_size(0) / 2; half_size > 0; half_size /= 2) {                      \
            if (item < half_size) scratch[item] += scratch[item + half_size];                              \
            barrier(CLK_LOCAL_MEM_FENCE);                                                                  \
        }                                                                                                  \
        if (item == 0) sums[get_group_id(0)] = scratch[0];                                                 \
    }

DEFINE_SUM(sum_int, uint) // unsigned: overflow is defined, and the bits are those of the signed sum
DEFINE_SUM(sum_float, float)
