kernel void vector_add(global const float* a, global const float* b, global float* sum) {
    const size_t i = get_global_id(0);
    sum[i] = a[i] + b[i];
}

/* One sum for each group; `scratch` has an element for each item, their number is a power of two. */
kernel void sum_float(global const float* values, global float* sums, uint count, local float* scratch) {
    const uint item = get_local_id(0);
    scratch[item] = 0;
    for (uint i = get_global_id(0); i < count; i += get_global_size(0)) scratch[item] += values[i];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint half_size = get_local_size(0) / 2; half_size > 0; half_size /= 2) {
        if (item < half_size) scratch[item] += scratch[item + half_size];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (item == 0) sums[get_group_id(0)] = scratch[0];
}
