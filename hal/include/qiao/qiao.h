/* Qiao: one binary, many accelerators. This header includes all that an application needs.
 *
 * A walk-through:
 *   qiao_instance_create        loads every plugin on the machine
 *   qiao_instance_find_device   picks a card: "mock:0", "opencl:*"
 *   qiao_memory_allocate        memory on the card; qiao_memory_get_address is what kernels take
 *   qiao_program_create_from_*  kernels from OpenCL C or from a package
 *   qiao_queue_launch           runs one: a shape, and the arguments as one packed block
 *   qiao_timeline_wait          waits for the value that the launch returned
 *   qiao_memory_read            brings the result home
 *
 * Five conventions:
 * 1. All that can fail returns qiao_status: 0 is success, above 0 "not yet", below 0 an error. The thread's last error
 *    (qiao_error_query) says what was wrong, the value, the limit and what to do.
 * 2. Created = yours, release it once. Got = borrowed from its parent. Passed in = retained if kept. Parents outlive
 *    children by themselves: the order of release does not matter.
 * 3. Structs with struct_size are started with their _INIT macro; zero is always the default. Unknown flags and chained
 *    structs are errors. Out-parameters are null or 0 after a failure.
 * 4. Everything may be called from every thread, except that an object's last release must not race with its use. After
 *    fork the child gets QIAO_ERROR_FORKED for the parent's handles.
 * 5. Sizes are in bytes, times in nanoseconds, shapes in work-items.
 */
#ifndef QIAO_H
#define QIAO_H

#include "qiao/device.h"
#include "qiao/instance.h"
#include "qiao/link.h"
#include "qiao/memory.h"
#include "qiao/pool.h"
#include "qiao/program.h"
#include "qiao/queue.h"
#include "qiao/share.h"
#include "qiao/status.h"
#include "qiao/timeline.h"
#include "qiao/types.h"

#endif
