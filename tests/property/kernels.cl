/* What the sequences launch: each is a few exact operations on 32-bit words that the model repeats on the host. */

kernel void blend(global const uint* in, global uint* out, uint factor) {
    size_t i = get_global_id(0);
    out[i] += in[i] * factor;
}

kernel void scramble(global uint* words, uint step) {
    size_t i = get_global_id(0);
    words[i] = words[i] * 1664525u + step;
}

kernel void gather(global const uint* in, global const uint* index, global uint* out, uint in_count) {
    size_t i = get_global_id(0);
    out[i] = in[index[i] % in_count];
}

kernel void reverse(global uint* words, local uint* tile) {
    size_t i = get_local_id(0);
    tile[i] = words[get_global_id(0)];
    barrier(CLK_LOCAL_MEM_FENCE);
    words[get_global_id(0)] = tile[get_local_size(0) - 1 - i];
}
