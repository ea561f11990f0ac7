/* What level 1 runs. Compile it with the card's own compiler, and let SKELETON_KERNELS name the result. */
kernel void vector_add(global const float* a, global const float* b, global float* sum) {
    const size_t i = get_global_id(0);
    sum[i] = a[i] + b[i];
}
