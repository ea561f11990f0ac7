/* Arrays: a dtype, a shape and strides over an allocation, as NumPy has them over host memory. */
#pragma once

#include <pybind11/numpy.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "extents.h"
#include "objects.h"

namespace qiao::python {

/* That an allocation is of a pool's memory: in which queue's order it is, and which others have used it. */
struct PoolShare {
    std::shared_ptr<PoolObject> pool;
    Queue home;
    std::vector<Queue> visitors;
    bool is_settled = false; /* work of whoever had the memory before has ended */

    /* Work of the queue is about to use it: ordered behind that of its own queue, at the first time. */
    void visit(Queue& queue);
    /* The host is about to use it, outside of any queue's order: waits for that work, once. */
    void settle();
    /* Behind all work that uses it. */
    void free(uint64_t address) noexcept;
};

/* An allocation; all arrays over it share it. */
struct MemoryObject {
    std::shared_ptr<DeviceObject> device;
    uint64_t address = 0;
    void* host_pointer = nullptr; /* null where the host has to copy */
    uint32_t resets = 0; /* of the device, when this was made: what is made later may get its address */
    bool is_released = false;
    Memory memory; /* null for one of a pool's */
    py::object lender; /* of host memory that was imported: it lives until work has let go of that */
    std::unique_ptr<PoolShare> share;

    MemoryObject(DeviceObject& of, uint64_t bytes, const MemoryOptions& options);
    MemoryObject(std::shared_ptr<PoolObject> pool, QueueObject& queue, uint64_t bytes);
    MemoryObject(DeviceObject& of, Memory imported, py::object lender);
    ~MemoryObject() { release(); }
    MemoryObject(const MemoryObject&) = delete;
    MemoryObject& operator=(const MemoryObject&) = delete;

    void release();
    void use_on(QueueObject& queue) {
        if (share) share->visit(queue.use());
    }
    void use_on_host() {
        if (share) share->settle();
    }
};

struct ArrayObject {
    std::shared_ptr<MemoryObject> memory;
    uint64_t address = 0; /* of element [0, 0, ...] */
    py::dtype dtype;
    Extents shape, strides; /* strides in bytes */
    uint64_t count = 0;
    /* What launches ask, once for all. */
    uint32_t item_size = 0;
    char kind = 0; /* as NumPy calls it: 'f', 'i', 'u', 'b', 'c', 'V' */
    bool is_packed = true;
    bool is_writable = true;

    bool is_contiguous() const { return is_packed; }
    uint64_t size_bytes() const { return count * item_size; }
    /* Whether the allocation is there: neither released nor from before a reset. */
    bool is_usable() const { return !memory->is_released && memory->resets == memory->device->resets; }
    /* Raises if not; `role` is what the message calls the array. */
    void check_usable(const std::string& role) const;
};

using ArrayClass = py::class_<ArrayObject>;

/* "device", "host", "shared" */
MemoryKind kind_of(py::handle name);
/* Without memory, for which it asks `bytes_to_have()`. */
ArrayObject lay_out(py::handle shape, py::handle dtype);
uint64_t bytes_to_have(const ArrayObject& array); /* an array without elements has an address too */
ArrayObject empty(DeviceObject& device, py::handle shape, py::handle dtype, const MemoryOptions& options);
ArrayObject empty(const std::shared_ptr<PoolObject>& pool, py::handle shape, py::handle dtype, py::handle queue);
/* Give the classes Device and Pool their method `empty`. */
void bind_empty(py::handle device);
void bind_pool_empty(py::handle pool);
ArrayObject zeros(DeviceObject& device, const py::object& shape, const py::object& dtype);
ArrayObject full(DeviceObject& device, const py::object& shape, const py::object& value, const py::object& dtype);
ArrayObject array(DeviceObject& device, const py::object& values, const py::object& dtype);
/* The array with these values: whichever queue uses it next, and of whichever device, finds them there. */
ArrayObject filled(QueueObject& queue, ArrayObject made, const py::object& value);
void set(const ArrayObject& self, const py::object& values, const std::shared_ptr<QueueObject>& queue);
/* As a dict. */
py::dict traffic_of(const qiao_memory_traffic& moved);
PointObject fill(QueueObject& queue, const ArrayObject& target, const py::object& value);
/* What NumPy makes of values; of a value alone, the dtype. */
py::object as_host_array(const py::object& values, const py::object& dtype);
py::object dtype_for(const py::object& value, const py::object& dtype);

} // namespace qiao::python
