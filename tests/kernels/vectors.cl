// Vectors in memory, as arguments, and their parts.
kernel void swizzle(global const float4* in, global float4* out) {
    size_t i = get_global_id(0);
    float4 v = in[i];
    out[i] = (float4)(v.w, v.zy, v.x);
}

kernel void triples(global const int* in, global int* out) {
    size_t i = get_global_id(0);
    int3 v = vload3(i, in);
    vstore3(v.zxy + (int3)(1, 2, 3), i, out);
}

kernel void geometry(global const float4* a, global const float4* b, global float* dots, global float4* crosses) {
    size_t i = get_global_id(0);
    dots[i] = dot(a[i].xyz, b[i].xyz);
    crosses[i] = cross(a[i], b[i]);
}

kernel void vector_arguments(uint4 add, float2 scale, char4 bytes, global float* out) {
    size_t i = get_global_id(0);
    uint all[4] = {add.x, add.y, add.z, add.w};
    out[i] = all[i % 4] * scale.x + scale.y + bytes.s0 + bytes.s3;
}

kernel void choose(global const int4* a, global const int4* b, global int4* larger, global int* tests) {
    size_t i = get_global_id(0);
    int4 greater = a[i] > b[i];
    larger[i] = select(b[i], a[i], greater);
    tests[i] = any(greater) + 2 * all(greater);
}

kernel void bytes_of(global const uint* in, global uchar4* out) {
    size_t i = get_global_id(0);
    out[i] = as_uchar4(in[i]).wzyx;
}

kernel void halves(global const uchar8* in, global uchar4* even, global uchar4* high) {
    size_t i = get_global_id(0);
    even[i] = in[i].even;
    high[i] = in[i].hi;
}
