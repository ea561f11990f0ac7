// Kernels for the tests of `qiao run`.
typedef struct {
    int factor;
    uchar offset;
} params;

kernel void add(global const float* a, global const float* b, global float* sum) {
    const size_t i = get_global_id(0);
    sum[i] = a[i] + b[i];
}

// In place: reads what it writes.
kernel void increment(global int* x, int by) { x[get_global_id(0)] += by; }

// A struct, a vector, local memory, an offset.
kernel void mixed(global const int* in, global int4* out, params p, int4 v, local int* scratch) {
    const size_t i = get_global_id(0);
    const size_t l = get_local_id(0);
    scratch[l] = in[i] * p.factor + p.offset;
    barrier(CLK_LOCAL_MEM_FENCE);
    out[i] = v + scratch[get_local_size(0) - 1 - l];
}

kernel void where(global uint* out) { out[get_global_id(0)] = (uint)get_global_id(0); }

#ifdef SCALE
kernel void scaled(global float* x) { x[get_global_id(0)] *= SCALE; }
#endif
