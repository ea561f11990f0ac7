// Where a work-item is, in one to three dimensions.
kernel void where_2d(global uint* out) {
    size_t w = get_global_size(0);
    out[get_global_id(1) * w + get_global_id(0)] = get_group_id(1) * 1000 + get_group_id(0) * 100 + get_local_id(1) * 10 + get_local_id(0);
}

kernel void where_3d(global uint* out) {
    size_t x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    size_t at = (z * get_global_size(1) + y) * get_global_size(0) + x;
    out[at] = x + y * 16 + z * 256 + get_local_id(2) * 4096 + get_group_id(2) * 65536;
}

kernel void sizes(global uint* out) {
    if (get_global_id(0) != 0 || get_global_id(1) != 0 || get_global_id(2) != 0) return;
    for (uint i = 0; i < 3; ++i) {
        out[i] = get_global_size(i);
        out[3 + i] = get_local_size(i);
        out[6 + i] = get_num_groups(i);
        out[9 + i] = get_global_offset(i);
    }
    out[12] = get_work_dim();
}

kernel void shifted(global uint* out) {
    size_t x = get_global_id(0) - get_global_offset(0), y = get_global_id(1) - get_global_offset(1);
    out[y * get_global_size(0) + x] = get_global_id(1) * 100 + get_global_id(0);
}

kernel void nothing(void) {}

kernel __attribute__((reqd_work_group_size(4, 2, 1))) void required(global uint* out) {
    out[get_global_id(1) * get_global_size(0) + get_global_id(0)] = get_local_size(0) * 10 + get_local_size(1);
}
