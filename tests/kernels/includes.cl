// Includes that include, and a macro from the command line.
#include "shared.h"
#include "include/shared.h"
kernel void included(global int* x) { x[get_global_id(0)] = shared_function(x[get_global_id(0)]); }
