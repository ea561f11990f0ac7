// Atomic functions on global memory.
kernel void count(global int* counter, global int* seen) {
    int mine = atomic_inc(&counter[0]);
    seen[mine] = 1;
}

kernel void extremes(global const int* in, global int* low, global int* high, global uint* high_unsigned) {
    size_t i = get_global_id(0);
    atomic_min(low, in[i]);
    atomic_max(high, in[i]);
    atomic_max(high_unsigned, as_uint(in[i]));
}

kernel void masks(global uint* all, global uint* any, global uint* odd) {
    uint bit = 1u << get_global_id(0);
    atomic_and(all, ~bit);
    atomic_or(any, bit);
    atomic_xor(odd, bit | 1u);
}

kernel void take(global int* place, global int* took) {
    size_t i = get_global_id(0);
    took[i] = atomic_cmpxchg(place, -1, (int)i) == -1;
}

kernel void add_float(global float* sum, global const float* in) {
    volatile global int* bits = (volatile global int*)sum;
    int old = atomic_add(bits, 0), seen;
    do {
        seen = old;
        old = atomic_cmpxchg(bits, seen, as_int(as_float(seen) + in[get_global_id(0)]));
    } while (old != seen);
}

kernel void down(global int* counter, global int* sum) {
    atomic_dec(counter);
    atomic_sub(sum, (int)get_global_id(0));
}

kernel void hand_over(global int* cell, global int* sum) {
    int got = atomic_xchg(cell, 1);
    atomic_add(sum, got);
}
