// Work-groups: local memory of both kinds, barriers in straight lines and in loops.
kernel void reduce(global const int* in, global int* sums, local int* part) {
    size_t l = get_local_id(0);
    part[l] = in[get_global_id(0)];
    for (size_t step = get_local_size(0) / 2; step > 0; step /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (l < step) part[l] += part[l + step];
    }
    if (l == 0) sums[get_group_id(0)] = part[0];
}

kernel void scan(global const int* in, global int* out, local int* a, local int* b) {
    size_t l = get_local_id(0);
    a[l] = in[get_global_id(0)];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (size_t step = 1; step < get_local_size(0); step *= 2) {
        b[l] = l >= step ? a[l] + a[l - step] : a[l];
        barrier(CLK_LOCAL_MEM_FENCE);
        local int* swap = a;
        a = b;
        b = swap;
    }
    out[get_global_id(0)] = a[l];
}

#define TILE 8
kernel __attribute__((reqd_work_group_size(TILE, TILE, 1))) void transpose(global const int* in, global int* out, uint width, uint height) {
    local int tile[TILE][TILE + 1];
    size_t x = get_local_id(0), y = get_local_id(1);
    tile[y][x] = in[get_global_id(1) * width + get_global_id(0)];
    barrier(CLK_LOCAL_MEM_FENCE);
    out[(get_group_id(0) * TILE + y) * height + get_group_id(1) * TILE + x] = tile[x][y];
}

kernel void reverse(global int* data) {
    local int copy[64];
    size_t l = get_local_id(0), n = get_local_size(0);
    copy[l] = data[get_global_id(0)];
    barrier(CLK_LOCAL_MEM_FENCE);
    data[get_global_id(0)] = copy[n - 1 - l];
}

kernel void sort(global int* data, local int* work) {
    size_t l = get_local_id(0), n = get_local_size(0);
    work[l] = data[get_global_id(0)];
    for (size_t k = 2; k <= n; k *= 2) {
        for (size_t j = k / 2; j > 0; j /= 2) {
            barrier(CLK_LOCAL_MEM_FENCE);
            size_t other = l ^ j;
            if (other > l) {
                int low = work[l], high = work[other];
                if ((low > high) == ((l & k) == 0)) {
                    work[l] = high;
                    work[other] = low;
                }
            }
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    data[get_global_id(0)] = work[l];
}

kernel void through_global(global int* data, global int* out) {
    size_t g = get_global_id(0);
    data[g] = (int)g * 3;
    barrier(CLK_GLOBAL_MEM_FENCE);
    out[g] = data[get_group_id(0) * get_local_size(0) + (get_local_id(0) + 1) % get_local_size(0)];
}

kernel void histogram(global const uchar* in, global int* counts, uint size) {
    local int part[16];
    for (uint i = get_local_id(0); i < 16; i += get_local_size(0)) part[i] = 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint i = get_global_id(0); i < size; i += get_global_size(0)) atomic_inc(&part[in[i] % 16]);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint i = get_local_id(0); i < 16; i += get_local_size(0)) atomic_add(&counts[i], part[i]);
}
