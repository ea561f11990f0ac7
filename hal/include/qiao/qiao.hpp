/* Qiao for C++17 and later: a header-only layer over qiao.h. Link libqiao; there is nothing else to build.
 *
 * A walk-through, which adds two arrays:
 *
 *   qiao::Instance instance;                                    // loads every plugin on the machine
 *   qiao::Device device = instance.find_device("*");            // "mock:0", "opencl:*"
 *   auto program = qiao::Program::from_source(device, text);    // OpenCL C, or from_package
 *   auto add = program.kernel<qiao::Address<const float>, qiao::Address<const float>, qiao::Address<float>>("add");
 *   qiao::Buffer<float> a(device, x), b(device, y), sum(device, x.size());
 *   qiao::Queue queue(device);
 *   qiao::Point done = queue.launch(add, x.size(), a, b, sum);  // returns at once
 *   done.wait();
 *   std::vector<float> result = sum.read();
 *
 * Five conventions:
 * 1. Failures are exceptions: qiao::Error has the whole record, DeviceLostError, BuildError, UnsupportedError,
 *    OutOfMemoryError and NotFoundError are told apart by type. A time-out is none: waits with a limit return false.
 * 2. Owners (Instance, Memory, Buffer, Pool, PoolBuffer, Program, Queue, Timeline) move, copy only by share(), and may be destroyed in any
 *    order. Views (Device, Kernel, TypedKernel, Point, Address, Slice) are copied freely and keep nothing alive.
 * 3. Elements are counted where the type is known (Buffer<T>, Slice<T>, Address<T>), bytes elsewhere.
 * 4. A typed kernel is compared with the kernel's reflection once; a launch packs and calls, at the price of the C call.
 * 5. get() is the C object, for the calls of qiao.h (check() turns their status into an exception); adopt() takes one over.
 *    Structs of the C interface are returned as values where they need nothing more. Threads, host memory and forks are as
 *    in qiao.h.
 *
 * Types stand in an inline namespace whose number rises when one of them changes its size, so that two libraries of one
 * process may have been built with different releases. RTTI is not needed, exceptions are.
 */
#ifndef QIAO_HPP
#define QIAO_HPP

#include "qiao/hpp/address.hpp"
#include "qiao/hpp/arguments.hpp"
#include "qiao/hpp/call.hpp"
#include "qiao/hpp/device.hpp"
#include "qiao/hpp/error.hpp"
#include "qiao/hpp/instance.hpp"
#include "qiao/hpp/kernel.hpp"
#include "qiao/hpp/link.hpp"
#include "qiao/hpp/memory.hpp"
#include "qiao/hpp/owner.hpp"
#include "qiao/hpp/pool.hpp"
#include "qiao/hpp/program.hpp"
#include "qiao/hpp/queue.hpp"
#include "qiao/hpp/shape.hpp"
#include "qiao/hpp/share.hpp"
#include "qiao/hpp/span.hpp"
#include "qiao/hpp/timeline.hpp"
#include "qiao/qiao.h"

#endif
