// A structure by value that is larger than push constants surely are.
struct large {
    int values[50];
};

kernel void large_value(struct large l, global int* out) {
    out[get_global_id(0)] = l.values[get_global_id(0)];
}
