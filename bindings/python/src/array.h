/* Arrays: a dtype, a shape and strides over an allocation, as NumPy has them over host memory. */
#pragma once

#include <pybind11/numpy.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "objects.h"

namespace qiao::python {

/* An allocation; all arrays over it share it. */
struct MemoryObject {
    std::shared_ptr<DeviceObject> device;
    Memory memory;
    bool is_released = false;

};

struct ArrayObject {
    std::shared_ptr<MemoryObject> memory;
    uint64_t address = 0; /* of element [0, 0, ...] */
    py::dtype dtype;
    std::vector<py::ssize_t> shape, strides; /* strides in bytes */
    uint64_t count = 0;
    /* What launches ask, once for all. */
    uint32_t item_size = 0;
    char kind = 0; /* as NumPy calls it: 'f', 'i', 'u', 'b', 'c', 'V' */
    bool is_packed = true;
    bool is_writable = true;

    bool is_contiguous() const { return is_packed; }
    uint64_t size_bytes() const { return count * item_size; }
    /* Raises if the allocation was released; `role` is what the message calls the array. */
    void check_usable(const char* role) const;
};

ArrayObject empty(DeviceObject& device, const py::object& shape, const py::object& dtype, const std::string& kind);
ArrayObject zeros(DeviceObject& device, const py::object& shape, const py::object& dtype);
ArrayObject full(DeviceObject& device, const py::object& shape, const py::object& value, const py::object& dtype);
ArrayObject array(DeviceObject& device, const py::object& values, const py::object& dtype);
PointObject fill(QueueObject& queue, const ArrayObject& target, const py::object& value);

} // namespace qiao::python
