#include <base.h>
kernel void add_base(global int* x) { x[get_global_id(0)] += BASE * STEP; }
