/* What the tests of the fake libraries run: addresses, values of several sizes, local memory that is given and that is declared. */
kernel void add(global const uint* a, global const uint* b, global uint* out) {
    size_t i = get_global_id(0);
    out[i] = a[i] + b[i];
}

kernel void mixed(uchar small, global ulong* out, ulong large, float real, global const uint* in) {
    out[get_global_id(0)] = small + large + (ulong)real + in[get_global_id(0)];
}

kernel void two_locals(global uint* out, local uint* first, local uint* second) {
    local uint own[64];
    size_t i = get_local_id(0), last = get_local_size(0) - 1;
    first[i] = get_global_id(0);
    second[i] = 1000 * get_global_id(0);
    own[i] = 7;
    barrier(CLK_LOCAL_MEM_FENCE);
    out[get_global_id(0)] = first[last - i] + second[last - i] + own[last - i];
}

kernel void repeat(global uint* cell, uint rounds) {
    uint x = *cell;
    for (uint i = 0; i < rounds; ++i)
        x = x * 1664525u + 1013904223u;
    *cell = x;
}
