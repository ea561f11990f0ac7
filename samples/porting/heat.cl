// Heat in a square plate whose edge is held at its temperature. Each group also says by how much its cells have changed at most.

kernel void heat_step(global const float* old, global float* new, global float* changes, local float* scratch, int size) {
    const int x = get_global_id(0), y = get_global_id(1);
    const int cell = y * size + x;
    const int item = get_local_id(1) * get_local_size(0) + get_local_id(0);
    float change = 0;
    if (x > 0 && y > 0 && x < size - 1 && y < size - 1) {
        const float mean = 0.25f * (old[cell - 1] + old[cell + 1] + old[cell - size] + old[cell + size]);
        change = fabs(mean - old[cell]);
        new[cell] = mean;
    }
    scratch[item] = change;
    for (int reach = get_local_size(0) * get_local_size(1) / 2; reach > 0; reach /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item < reach) scratch[item] = fmax(scratch[item], scratch[item + reach]);
    }
    if (item == 0) changes[get_group_id(1) * get_num_groups(0) + get_group_id(0)] = scratch[0];
}
