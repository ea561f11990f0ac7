#ifndef SHARED_H
#define SHARED_H
#include "deeper.h"
inline int shared_function(int x) { return x * SHARED_FACTOR + OFFSET; }
#endif
