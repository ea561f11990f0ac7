// Numbers of every width: what C says of them, and what OpenCL adds.
kernel void add(global const float* a, global const float* b, global float* sum) {
    size_t i = get_global_id(0);
    sum[i] = a[i] + b[i];
}

kernel void saxpy(float factor, global const float* x, global float* y) {
    size_t i = get_global_id(0);
    y[i] = factor * x[i] + y[i];
}

kernel void divide(global const int* a, global const int* b, global int* quotient, global int* rest) {
    size_t i = get_global_id(0);
    quotient[i] = a[i] / b[i];
    rest[i] = a[i] % b[i];
}

kernel void shifts(global const int* a, global int* arithmetic, global uint* logical, global int* left) {
    size_t i = get_global_id(0);
    arithmetic[i] = a[i] >> (i % 31);
    logical[i] = as_uint(a[i]) >> (i % 31);
    left[i] = as_int(as_uint(a[i]) << (i % 31));
}

kernel void bits(global const uint* a, global uint* count, global uint* zeros, global uint* turned) {
    size_t i = get_global_id(0);
    count[i] = popcount(a[i]);
    zeros[i] = clz(a[i]);
    turned[i] = rotate(a[i], 7u);
}

kernel void saturate(global const int* a, global uchar* bytes, global short* shorts) {
    size_t i = get_global_id(0);
    bytes[i] = convert_uchar_sat(a[i]);
    shorts[i] = convert_short_sat(a[i]);
}

kernel void narrow(global const int* a, global char* bytes, global short* shorts, global ushort* unsigned_shorts) {
    size_t i = get_global_id(0);
    bytes[i] = (char)a[i];
    shorts[i] = (short)a[i];
    unsigned_shorts[i] = (ushort)a[i];
}

kernel void wide(global const ulong* a, global const ulong* b, global ulong* product, global ulong* high) {
    size_t i = get_global_id(0);
    product[i] = a[i] * b[i];
    high[i] = mul_hi(a[i], b[i]);
}

kernel void averages(global const int* a, global const int* b, global int* down, global int* up, global uint* distance) {
    size_t i = get_global_id(0);
    down[i] = hadd(a[i], b[i]);
    up[i] = rhadd(a[i], b[i]);
    distance[i] = abs_diff(a[i], b[i]);
}

kernel void clamped_sum(global const int* a, global const int* b, global int* sum, global int* limited) {
    size_t i = get_global_id(0);
    sum[i] = add_sat(a[i], b[i]);
    limited[i] = clamp(a[i], -100, 100);
}

kernel void polynomial(global const double* x, global double* y) {
    size_t i = get_global_id(0);
    y[i] = (x[i] * 0.5 - 3.0) * x[i] + 1.0 / 3.0;
}

kernel void to_integers(global const float* x, global int* toward_zero, global int* nearest, global int* down) {
    size_t i = get_global_id(0);
    toward_zero[i] = (int)x[i];
    nearest[i] = convert_int_rte(x[i]);
    down[i] = convert_int_rtn(x[i]);
}
