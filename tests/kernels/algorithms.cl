// Whole algorithms, small.
kernel void multiply(global const float* a, global const float* b, global float* c, int n) {
    int x = get_global_id(0), y = get_global_id(1);
    float sum = 0.0f;
    for (int k = 0; k < n; ++k) sum += a[y * n + k] * b[k * n + x];
    c[y * n + x] = sum;
}

kernel void stencil(global const float* in, global float* out, int width, int height) {
    int x = get_global_id(0), y = get_global_id(1);
    float left = x > 0 ? in[y * width + x - 1] : 0.0f, right = x < width - 1 ? in[y * width + x + 1] : 0.0f;
    float up = y > 0 ? in[(y - 1) * width + x] : 0.0f, down = y < height - 1 ? in[(y + 1) * width + x] : 0.0f;
    out[y * width + x] = left + right + up + down - 4.0f * in[y * width + x];
}

kernel void life(global const uchar* in, global uchar* out, int width, int height) {
    int x = get_global_id(0), y = get_global_id(1), neighbours = 0;
    for (int dy = -1; dy <= 1; ++dy) {
        for (int dx = -1; dx <= 1; ++dx) {
            if (dx != 0 || dy != 0) neighbours += in[((y + dy + height) % height) * width + (x + dx + width) % width];
        }
    }
    out[y * width + x] = neighbours == 3 || (neighbours == 2 && in[y * width + x] != 0);
}

kernel void compact(global const int* in, global int* out, global int* count) {
    int value = in[get_global_id(0)];
    if (value > 0) out[atomic_inc(count)] = value;
}

kernel void blur_3d(global const int* in, global int* out) {
    int x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    int w = get_global_size(0), h = get_global_size(1), d = get_global_size(2), sum = 0;
    for (int k = max(z - 1, 0); k <= min(z + 1, d - 1); ++k)
        for (int j = max(y - 1, 0); j <= min(y + 1, h - 1); ++j)
            for (int i = max(x - 1, 0); i <= min(x + 1, w - 1); ++i) sum += in[(k * h + j) * w + i];
    out[(z * h + y) * w + x] = sum;
}

kernel void tiled_multiply(global const float* a, global const float* b, global float* c, int n, local float* ta, local float* tb) {
    int x = get_global_id(0), y = get_global_id(1), lx = get_local_id(0), ly = get_local_id(1), t = get_local_size(0);
    float sum = 0.0f;
    for (int tile = 0; tile < n / t; ++tile) {
        ta[ly * t + lx] = a[y * n + tile * t + lx];
        tb[ly * t + lx] = b[(tile * t + ly) * n + x];
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int k = 0; k < t; ++k) sum += ta[ly * t + k] * tb[k * t + lx];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    c[y * n + x] = sum;
}

kernel void forces(global const float4* bodies, global float4* out, int n) {
    float4 me = bodies[get_global_id(0)];
    float4 sum = (float4)(0.0f);
    for (int i = 0; i < n; ++i) {
        float4 d = bodies[i] - me;
        d.w = 0.0f;
        sum += d * bodies[i].w;
    }
    out[get_global_id(0)] = sum;
}
