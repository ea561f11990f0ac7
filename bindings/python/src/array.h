/* Arrays: a dtype, a shape and strides over an allocation, as NumPy has them over host memory. */
#pragma once

#include <pybind11/numpy.h>

#include <cstdint>
#include <memory>

#include "extents.h"
#include "objects.h"

namespace qiao::python {

/* An allocation; all arrays over it share it. */
struct MemoryObject {
    MemoryObject(DeviceObject& of, uint64_t size_bytes, MemoryKind kind)
        : device(of.share()), memory(of.device, size_bytes, MemoryOptions{kind, 0}), resets(of.resets) {}

    std::shared_ptr<DeviceObject> device;
    Memory memory;
    uint32_t resets = 0; /* of the device, when this was made: what is made later may get its address */
    bool is_released = false;
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
ArrayObject empty(DeviceObject& device, py::handle shape, py::handle dtype, MemoryKind kind);
/* Gives the class Device its method `empty`. */
void bind_empty(py::handle device);
ArrayObject zeros(DeviceObject& device, const py::object& shape, const py::object& dtype);
ArrayObject full(DeviceObject& device, const py::object& shape, const py::object& value, const py::object& dtype);
ArrayObject array(DeviceObject& device, const py::object& values, const py::object& dtype);
PointObject fill(QueueObject& queue, const ArrayObject& target, const py::object& value);

} // namespace qiao::python
