/* A library that a plugin needs and that is not found. */
#include "qiao/types.h"

QIAO_EXPORT int qiao_test_dependency(void);
QIAO_EXPORT int qiao_test_dependency(void) {
    return 1;
}
