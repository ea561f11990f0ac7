#include "array.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "errors.h"
#include "wait.h"

namespace qiao::python {
namespace {

Extents shape_of(py::handle shape) {
    const auto read = [](py::handle extent, const char* refusal) {
        if (PyIndex_Check(extent.ptr()) == 0) raise_type_error(refusal + type_name(extent));
        const py::ssize_t value = PyNumber_AsSsize_t(extent.ptr(), PyExc_ValueError);
        if (value == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
        if (value < 0) raise_value_error("the shape has the negative extent " + std::to_string(value));
        return value;
    };
    Extents extents(1);
    if (PyIndex_Check(shape.ptr()) != 0) {
        extents[0] = read(shape, "");
        return extents;
    }
    if (!py::isinstance<py::iterable>(shape)) raise_type_error("a shape is an int or a tuple of ints, not " + type_name(shape));
    const py::tuple all(py::reinterpret_borrow<py::object>(shape));
    extents = Extents(all.size());
    for (size_t i = 0; i < all.size(); ++i)
        extents[i] = read(all[i], "a shape consists of ints, not of ");
    return extents;
}

/* Refuses shapes whose strides no signed number of 64 bits holds; an axis without elements counts as one for them. */
uint64_t count_of(const Extents& shape, uint32_t item_size) {
    bool is_empty = false;
    py::ssize_t bytes = item_size;
    for (const py::ssize_t extent : shape) {
        is_empty |= extent == 0;
        if (__builtin_mul_overflow(bytes, std::max<py::ssize_t>(extent, 1), &bytes)) raise_value_error("the array has more bytes than 63 bits count");
    }
    return is_empty ? 0 : static_cast<uint64_t>(bytes) / item_size;
}

/* Rows of C order: the last index is the fastest. The shape has passed count_of. */
Extents packed_strides(const Extents& shape, uint32_t item_size) {
    Extents strides(shape.size());
    py::ssize_t step = item_size;
    for (size_t i = shape.size(); i-- > 0;) {
        strides[i] = step;
        step *= std::max<py::ssize_t>(shape[i], 1);
    }
    return strides;
}

/* A dtype that arrays of a device may have, and what is asked of it at each array. */
struct DtypeFacts {
    py::object given; /* what it was made of: a name, a type, itself */
    py::dtype dtype;
    uint32_t item_size = 0;
    char kind = 0;
};

DtypeFacts read_dtype(py::handle given) {
    DtypeFacts facts;
    facts.given = py::reinterpret_borrow<py::object>(given);
    facts.dtype = py::dtype::from_args(facts.given);
    if (facts.dtype.attr("hasobject").cast<bool>()) raise_type_error("an array of a device cannot hold Python objects");
    if (facts.dtype.itemsize() == 0) raise_type_error("the dtype " + py::str(facts.dtype).cast<std::string>() + " has no size");
    facts.item_size = static_cast<uint32_t>(facts.dtype.itemsize());
    facts.kind = facts.dtype.kind();
    return facts;
}

/* NumPy needs longer to read a dtype's name than to make an array: what never changes its meaning is read once. The entries are never
 * freed, for at the end of the process there is no interpreter to do so. */
const DtypeFacts& facts_of(py::handle given) {
    static auto& known = *new std::array<DtypeFacts, 16>;
    static auto& other = *new DtypeFacts;
    const bool is_constant = PyUnicode_CheckExact(given.ptr()) || py::isinstance<py::dtype>(given) ||
                             (PyType_Check(given.ptr()) && !PyType_HasFeature(reinterpret_cast<PyTypeObject*>(given.ptr()), Py_TPFLAGS_HEAPTYPE));
    DtypeFacts& entry = is_constant ? known[(reinterpret_cast<uintptr_t>(given.ptr()) >> 4) % known.size()] : other;
    if (!entry.given.is(given) || !is_constant) entry = read_dtype(given);
    return entry;
}

/* Whether elements follow each other without a gap; axes of one element may have any stride. */
bool is_packed(const Extents& shape, const Extents& strides, uint32_t item_size) {
    py::ssize_t step = item_size;
    for (size_t i = shape.size(); i-- > 0;) {
        if (shape[i] == 0) return true;
        if (shape[i] != 1 && strides[i] != step) return false;
        step *= shape[i];
    }
    return true;
}

ArrayObject make_array(std::shared_ptr<MemoryObject> memory, uint64_t address, py::dtype dtype, Extents shape, Extents strides, bool is_writable) {
    ArrayObject made;
    made.memory = std::move(memory);
    made.address = address;
    made.item_size = static_cast<uint32_t>(dtype.itemsize());
    made.kind = dtype.kind();
    made.dtype = std::move(dtype);
    made.count = count_of(shape, made.item_size);
    made.is_packed = is_packed(shape, strides, made.item_size);
    made.shape = std::move(shape);
    made.strides = std::move(strides);
    made.is_writable = is_writable;
    return made;
}

/* An array of NumPy's at the device's addresses. It is never read: it does the arithmetic of indices, shapes and dtypes. */
py::array shadow_of(const ArrayObject& array) {
    // A base, so that NumPy borrows the address; and a reference that it may not be null for (an array without elements).
    return py::array(array.dtype, array.shape, array.strides, reinterpret_cast<const void*>(std::max<uint64_t>(array.address, 1)), py::none());
}

ArrayObject from_shadow(const ArrayObject& parent, const py::array& shadow) {
    const uint64_t address = shadow.size() == 0 ? parent.address : reinterpret_cast<uintptr_t>(shadow.data());
    return make_array(parent.memory, address, shadow.dtype(), {shadow.shape(), shadow.ndim()}, {shadow.strides(), shadow.ndim()}, parent.is_writable);
}

bool is_basic_index(py::handle index) {
    return index.is_none() || py::isinstance<py::slice>(index) || index.ptr() == Py_Ellipsis ||
           (PyIndex_Check(index.ptr()) && !PyBool_Check(index.ptr()) && !py::isinstance<py::array>(index));
}

/* A view; an index of integers alone is a view without dimensions, for nothing is read. */
ArrayObject get_item(const ArrayObject& self, const py::object& index) {
    const py::tuple given = py::isinstance<py::tuple>(index) ? py::tuple(index) : py::make_tuple(index);
    bool has_ellipsis = false;
    for (const py::handle each : given) {
        if (!is_basic_index(each))
            raise_type_error("arrays of a device take integers, slices, ... and None as indices, not " + type_name(each) +
                             "; for other selections copy with .numpy() first");
        has_ellipsis |= each.ptr() == Py_Ellipsis;
    }
    const py::tuple full = has_ellipsis ? given : py::tuple(given + py::make_tuple(py::ellipsis()));
    return from_shadow(self, shadow_of(self)[full]);
}

ArrayObject reshape(const ArrayObject& self, const py::args& shape) {
    const py::object wanted = shape.size() == 1 ? py::object(shape[0]) : py::object(shape);
    if (!self.is_packed) raise_value_error("only contiguous arrays can be reshaped without a copy; this one has strides");
    return from_shadow(self, shadow_of(self).attr("reshape")(wanted));
}

ArrayObject view(const ArrayObject& self, const py::object& dtype) { return from_shadow(self, shadow_of(self).attr("view")(py::dtype::from_args(dtype))); }
ArrayObject transpose(const ArrayObject& self) { return from_shadow(self, shadow_of(self).attr("T")); }

ArrayObject read_only(const ArrayObject& self) {
    ArrayObject view = self;
    view.is_writable = false;
    return view;
}

/* The bytes from the first to the last that a view has, as its offset from `address`, and how many. */
struct Extent {
    int64_t first = 0;
    uint64_t bytes = 0;
};
Extent extent_of(const ArrayObject& array) {
    if (array.count == 0) return {};
    int64_t low = 0, high = 0;
    for (size_t i = 0; i < array.shape.size(); ++i) {
        const int64_t reach = static_cast<int64_t>(array.strides[i]) * (array.shape[i] - 1);
        (reach < 0 ? low : high) += reach;
    }
    return {low, static_cast<uint64_t>(high - low) + array.item_size};
}

QueueObject& queue_for(const ArrayObject& array, const std::shared_ptr<QueueObject>& queue) {
    return queue ? *queue : array.memory->device->queue();
}

void finish(QueueObject& queue, const Point& point) { static_cast<void>(wait_until(queue.timeline->timeline, point.value(), std::nullopt)); }

/* Between `bytes` bytes of host memory and the same number from `address`, in the queue's order; returns when done. */
void move(QueueObject& queue, const ArrayObject& array, uint64_t address, void* host, uint64_t bytes, bool to_host) {
    if (bytes == 0) return;
    array.memory->use_on(queue);
    const qiao_place there{array.memory->device->device.get(), address}, here{nullptr, reinterpret_cast<uintptr_t>(host)};
    const Point point = queue.use().copy(to_host ? qiao_copy{there, here, bytes, 1, 0, 0, 0, 1, 0, 0} : qiao_copy{here, there, bytes, 1, 0, 0, 0, 1, 0, 0});
    try {
        finish(queue, point);
    } catch (py::error_already_set&) { // Ctrl-C: the host's memory is used until the copy has ended
        const py::gil_scoped_release others;
        static_cast<void>(qiao_timeline_wait(point.timeline(), point.value(), QIAO_TIMEOUT_INFINITE));
        throw;
    }
}

py::array to_numpy(const ArrayObject& self, const std::shared_ptr<QueueObject>& queue) {
    self.check_usable("the array");
    QueueObject& used = queue_for(self, queue);
    if (self.is_packed) {
        py::array result(self.dtype, self.shape);
        move(used, self, self.address, result.mutable_data(), self.size_bytes(), true);
        return result;
    }
    // One copy of everything from the first byte to the last, seen through the same strides, and then without them.
    const Extent extent = extent_of(self);
    py::array_t<uint8_t> bytes(static_cast<py::ssize_t>(extent.bytes));
    move(used, self, self.address + static_cast<uint64_t>(extent.first), bytes.mutable_data(), extent.bytes, true);
    return py::array(self.dtype, self.shape, self.strides, bytes.data() - extent.first, bytes).attr("copy")();
}

/* Integers for a float are values for it; the reverse would lose them. */
bool loses_kind(char from, char to) {
    constexpr std::string_view kOrder = "biufc";
    const auto rank = [&](char kind) { return kind == 'f' ? 1 : kind == 'c' ? 2 : 0; };
    return kOrder.find(from) != kOrder.npos && kOrder.find(to) != kOrder.npos && rank(from) > rank(to);
}

/* Values for an array, as an array of NumPy's with its dtype and shape. */
py::array host_values(const ArrayObject& self, const py::object& values) {
    const py::module_ numpy = py::module_::import("numpy");
    const py::array given = numpy.attr("asarray")(values);
    if (loses_kind(given.dtype().kind(), self.kind))
        raise_type_error("values of dtype " + py::str(given.dtype()).cast<std::string>() + " do not fit an array of " +
                         py::str(self.dtype).cast<std::string>() + "; convert them with .astype()");
    // What is no array yet is converted by its values, so that NumPy sees an overflow.
    const py::object typed = py::isinstance<py::array>(values) ? given.attr("astype")(self.dtype, py::arg("copy") = false)
                                                                : numpy.attr("asarray")(values, py::arg("dtype") = self.dtype);
    const py::tuple shape = self.shape.tuple();
    try {
        return numpy.attr("ascontiguousarray")(numpy.attr("broadcast_to")(typed, shape)).attr("reshape")(shape);
    } catch (py::error_already_set&) {
        raise_value_error("values of shape " + py::str(given.attr("shape")).cast<std::string>() + " do not fit an array of shape " +
                          py::str(shape).cast<std::string>());
    }
}

/* NumPy's protocol: numpy.asarray(array) copies to the host. */
py::object as_numpy(const ArrayObject& self, const py::object& dtype, const py::object& copy) {
    if (py::isinstance<py::bool_>(copy) && !copy.cast<bool>())
        raise_value_error("an array of a device reaches the host by a copy; for memory that both see take Array.host");
    const py::object values = to_numpy(self, nullptr);
    return dtype.is_none() ? values : py::object(values.attr("astype")(dtype, py::arg("copy") = false));
}

py::array host_view(const py::object& object) {
    const auto* self = &object.cast<const ArrayObject&>();
    self->check_usable("the array");
    if (self->memory->host_pointer == nullptr)
        raise(QIAO_ERROR_UNSUPPORTED, "the host has no pointer to memory of kind 'device' of " + self->memory->device->id,
              "copy with .numpy(), or take an array of kind \"shared\" or \"host\" where the device has them");
    self->memory->use_on_host();
    auto* first = static_cast<uint8_t*>(self->memory->host_pointer) + (self->address - self->memory->address);
    py::array values(self->dtype, self->shape, self->strides, first, object);
    if (!self->is_writable) values.attr("flags").attr("writeable") = false;
    return values;
}

void fetch(const ArrayObject& self) {
    self.check_usable("the array");
    const Memory& memory = self.memory->memory;
    if (!self.is_packed) raise_value_error("only contiguous arrays are fetched; fetch what this is a view of");
    if (self.count == 0 || !memory) return;
    bool has_ended = false;
    {
        py::gil_scoped_release unlocked;
        has_ended = memory.fetch(self.address - memory.address().value(), self.size_bytes());
    }
    if (!has_ended) raise(QIAO_ERROR_INVALID_ARGUMENT, "work that writes the array has not ended", "wait for it first");
}

PointObject prefetch(const ArrayObject& self, const std::string& to, const std::shared_ptr<QueueObject>& queue) {
    self.check_usable("the array");
    if (to != "device" && to != "host") raise_value_error("to is '" + to + "'; it must be \"device\" or \"host\"");
    if (!self.is_packed) raise_value_error("only contiguous arrays are prefetched; prefetch what this is a view of");
    QueueObject& used = queue_for(self, queue);
    Queue& native = used.use();
    if (self.count == 0) return used.at(native.at(0));
    const Device device = self.memory->device->device;
    std::optional<Point> point;
    {
        py::gil_scoped_release unlocked;
        point = native.prefetch({device.get(), self.address}, self.size_bytes(), to == "device" ? device : Device());
    }
    return used.at(*point);
}

void advise(const ArrayObject& self, const std::string& advice) {
    self.check_usable("the array");
    static constexpr std::pair<const char*, Advice> kAdvice[] = {{"read_mostly", Advice::kReadMostly},
                                                                 {"not_read_mostly", Advice::kNotReadMostly},
                                                                 {"preferred_device", Advice::kPreferredDevice},
                                                                 {"preferred_host", Advice::kPreferredHost},
                                                                 {"no_preference", Advice::kNoPreference}};
    const auto found = std::find_if(std::begin(kAdvice), std::end(kAdvice), [&](const auto& each) { return advice == each.first; });
    if (found == std::end(kAdvice))
        raise_value_error("there is no advice '" + advice + "'; it is \"read_mostly\", \"not_read_mostly\", \"preferred_device\", \"preferred_host\" or \"no_preference\"");
    if (!self.is_packed) raise_value_error("advice is for contiguous arrays; give it to what this is a view of");
    const Memory& memory = self.memory->memory;
    if (self.count != 0 && memory) memory.advise(found->second, self.address - memory.address().value(), self.size_bytes());
}

py::dict traffic(const ArrayObject& self) {
    self.check_usable("the array");
    const qiao_memory_traffic none = QIAO_MEMORY_TRAFFIC_INIT;
    return traffic_of(self.memory->memory ? self.memory->memory.traffic() : none);
}

std::string describe(const ArrayObject& self) {
    return "<qiao.Array " + py::str(self.shape.tuple()).cast<std::string>() + " " + py::str(self.dtype).cast<std::string>() + " on " +
           self.memory->device->id + (self.memory->is_released ? ", released>" : ">");
}

} // namespace

py::dict traffic_of(const qiao_memory_traffic& moved) {
    static constexpr const char* kTracking[] = {"none", "scan", "compare", "full"};
    py::dict all;
    all["tracking"] = kTracking[moved.tracking];
    all["to_device_bytes"] = moved.to_device_bytes;
    all["to_host_bytes"] = moved.to_host_bytes;
    all["to_device_count"] = moved.to_device_count;
    all["to_host_count"] = moved.to_host_count;
    all["conflict_bytes"] = moved.conflict_bytes;
    all["prefetched_to_device_bytes"] = moved.prefetched_to_device_bytes;
    all["prefetched_to_host_bytes"] = moved.prefetched_to_host_bytes;
    all["resident_bytes"] = moved.resident_bytes;
    all["eviction_count"] = moved.eviction_count;
    all["restore_count"] = moved.restore_count;
    return all;
}

void set(const ArrayObject& self, const py::object& values, const std::shared_ptr<QueueObject>& queue) {
    self.check_usable("the array");
    if (!self.is_writable) raise_value_error("the array is read-only");
    QueueObject& used = queue_for(self, queue);
    if (py::isinstance<ArrayObject>(values)) {
        py::cast(&used).attr("copy")(values, self).attr("wait")();
        return;
    }
    py::array host = host_values(self, values);
    if (self.is_packed) return move(used, self, self.address, const_cast<void*>(host.data()), self.size_bytes(), false);
    // Bytes between the elements are not the array's: read, changed through the strides, written.
    const Extent extent = extent_of(self);
    py::array_t<uint8_t> bytes(static_cast<py::ssize_t>(extent.bytes));
    const uint64_t first = self.address + static_cast<uint64_t>(extent.first);
    move(used, self, first, bytes.mutable_data(), extent.bytes, true);
    py::array(self.dtype, self.shape, self.strides, bytes.data() - extent.first, bytes)[py::ellipsis()] = host;
    move(used, self, first, bytes.mutable_data(), extent.bytes, false);
}

void ArrayObject::check_usable(const std::string& role) const {
    if (memory->is_released) raise(QIAO_ERROR_INVALID_HANDLE, role + " was released", "use an array that is alive");
    if (!is_usable())
        raise(QIAO_ERROR_DEVICE_LOST, role + " is from before " + memory->device->id + " was reset", "make it again", memory->device->id);
}

MemoryKind kind_of(py::handle name) {
    if (PyUnicode_Check(name.ptr()) == 0) raise_type_error("the kind of memory is a str, not " + type_name(name));
    const auto is = [&](const char* kind) { return PyUnicode_CompareWithASCIIString(name.ptr(), kind) == 0; };
    if (is("device")) return MemoryKind::kDevice;
    if (is("host")) return MemoryKind::kHost;
    if (is("shared")) return MemoryKind::kShared;
    raise_value_error("there is no memory of kind '" + name.cast<std::string>() + "'; kinds are \"device\", \"host\" and \"shared\"");
}

MemoryObject::MemoryObject(DeviceObject& of, uint64_t bytes, const MemoryOptions& options)
    : device(of.share()), resets(of.resets), memory(of.device, bytes, options) {
    address = memory.address().value();
    host_pointer = memory.host_pointer();
}

MemoryObject::MemoryObject(DeviceObject& of, Memory imported, py::object of_whom)
    : device(of.share()), resets(of.resets), memory(std::move(imported)), lender(std::move(of_whom)) {
    address = memory.address().value();
    host_pointer = memory.host_pointer();
}

void MemoryObject::release() {
    if (std::exchange(is_released, true)) return;
    if (lender) {
        const py::gil_scoped_release others;
        static_cast<void>(qiao_device_synchronize(device->device.get(), QIAO_TIMEOUT_INFINITE));
    }
    if (share) share->free(address);
    share.reset();
    memory = Memory();
    lender = py::object();
}

ArrayObject lay_out(py::handle shape, py::handle dtype) {
    const DtypeFacts& facts = facts_of(dtype);
    ArrayObject made;
    made.dtype = facts.dtype;
    made.item_size = facts.item_size;
    made.kind = facts.kind;
    made.shape = shape_of(shape);
    made.count = count_of(made.shape, made.item_size);
    made.strides = packed_strides(made.shape, made.item_size);
    return made;
}

uint64_t bytes_to_have(const ArrayObject& array) { return std::max<uint64_t>(array.count, 1) * array.item_size; }

ArrayObject empty(DeviceObject& device, py::handle shape, py::handle dtype, const MemoryOptions& options) {
    ArrayObject made = lay_out(shape, dtype);
    made.memory = std::make_shared<MemoryObject>(device, bytes_to_have(made), options);
    made.address = made.memory->address;
    return made;
}

py::object dtype_for(const py::object& value, const py::object& dtype) {
    return dtype.is_none() ? py::object(py::module_::import("numpy").attr("asarray")(value).attr("dtype")) : dtype;
}

py::object as_host_array(const py::object& values, const py::object& dtype) {
    const py::object numpy = py::module_::import("numpy");
    return dtype.is_none() ? numpy.attr("asarray")(values) : numpy.attr("asarray")(values, py::arg("dtype") = dtype);
}

ArrayObject zeros(DeviceObject& device, const py::object& shape, const py::object& dtype) { return full(device, shape, py::int_(0), dtype); }

ArrayObject full(DeviceObject& device, const py::object& shape, const py::object& value, const py::object& dtype) {
    return filled(device.queue(), empty(device, shape, dtype_for(value, dtype), MemoryOptions()), value);
}

ArrayObject filled(QueueObject& queue, ArrayObject made, const py::object& value) {
    const PointObject done = fill(queue, made, value);
    wait_until(done.timeline->timeline, done.value, std::nullopt);
    return made;
}

ArrayObject array(DeviceObject& device, const py::object& values, const py::object& dtype) {
    const py::object host = as_host_array(values, dtype);
    ArrayObject made = empty(device, host.attr("shape"), host.attr("dtype"), MemoryOptions());
    set(made, host, nullptr);
    return made;
}

PointObject fill(QueueObject& queue, const ArrayObject& target, const py::object& value) {
    target.check_usable("the target");
    if (!target.is_writable) raise_value_error("the array is read-only");
    if (!target.is_packed) raise_value_error("only contiguous arrays are filled in one operation; assign to [...] instead");
    if (target.count == 0) return queue.at(queue.use().at(0));
    const uint32_t bytes = target.item_size;
    if (bytes > 16 || (bytes & (bytes - 1)) != 0)
        raise_type_error("elements of " + std::to_string(bytes) + " bytes are not filled in one operation; assign to [...] instead");
    const py::object number = py::module_::import("numpy").attr("asarray")(value);
    target.memory->use_on(queue);
    const py::array pattern = number.attr("astype")(target.dtype);
    if (pattern.size() != 1) raise_value_error("an array is filled with one value, not with " + std::to_string(pattern.size()));
    uint64_t reached = 0;
    check(qiao_queue_fill(queue.use().get(), {target.memory->device->device.get(), target.address}, target.size_bytes(), pattern.data(), bytes, &reached));
    return queue.at(queue.queue.at(reached));
}

void bind_array(py::module_& module) {
    ArrayClass(module, "Array", "Numbers in a device's memory: dtype, shape and strides as NumPy has them.")
        .def_property_readonly("device", [](const ArrayObject& self) { return self.memory->device; })
        .def_readonly("dtype", &ArrayObject::dtype)
        .def_property_readonly("shape", [](const ArrayObject& self) { return self.shape.tuple(); })
        .def_property_readonly("strides", [](const ArrayObject& self) { return self.strides.tuple(); })
        .def_property_readonly("ndim", [](const ArrayObject& self) { return self.shape.size(); })
        .def_readonly("size", &ArrayObject::count)
        .def_readonly("itemsize", &ArrayObject::item_size)
        .def_property_readonly("nbytes", &ArrayObject::size_bytes)
        .def_readonly("address", &ArrayObject::address, "The device's address of the first element. It has meaning on this device only.")
        .def_readonly("contiguous", &ArrayObject::is_packed, "Whether the elements follow each other in C order.")
        .def_readonly("writable", &ArrayObject::is_writable)
        .def_property_readonly("T", &transpose, "A view with the axes reversed.")
        .def("__len__", [](const ArrayObject& self) {
            if (self.shape.empty()) raise_type_error("an array without dimensions has no length");
            return self.shape[0];
        })
        .def("__getitem__", &get_item, py::arg("index"), "A view, at the exact byte. Indices are integers, slices, ... and None.")
        .def("__setitem__", [](const ArrayObject& self, const py::object& index, const py::object& values) { set(get_item(self, index), values, nullptr); })
        .def("reshape", &reshape)
        .def("view", &view, py::arg("dtype"), "The same bytes as another dtype.")
        .def("read_only", &read_only, "A view that kernels may not write to.")
        .def("numpy", &to_numpy, py::kw_only(), py::arg("queue") = nullptr,
             "The values on the host, when all earlier work of the queue (the device's own if none is given) has ended.")
        .def("set", &set, py::arg("values"), py::kw_only(), py::arg("queue") = nullptr, "Copies values in; returns when they are there.")
        .def("fill", [](const ArrayObject& self, const py::object& value, const std::shared_ptr<QueueObject>& queue) {
            return fill(queue_for(self, queue), self, value);
        }, py::arg("value"), py::kw_only(), py::arg("queue") = nullptr)
        .def_property_readonly("host", &host_view,
                               "The memory itself, as an array of NumPy's: only for memory that the host reaches. Wait for work that uses it first.")
        .def("fetch", &fetch,
             "Brings what the card has written to the host, for shared memory made with fetch=\"explicit\". Wait for that work first.")
        .def("prefetch", &prefetch, py::arg("to") = "device", py::kw_only(), py::arg("queue") = nullptr,
             "Moves shared memory ahead of its use: to the \"device\" now, so that a launch moves nothing, or to the \"host\" when the queue's\n"
             "earlier work has ended, so that the wait finds it there.")
        .def("advise", &advise, py::arg("advice"),
             "What is known of the array's use: \"read_mostly\" (no kernel writes it), \"preferred_device\", \"preferred_host\" (the whole memory\n"
             "leaves the card last, or first); undone by \"not_read_mostly\" and \"no_preference\".")
        .def_property_readonly("traffic", &traffic,
                               "What was moved between host and card of the array's memory, as a dict; for shared memory that the card has not itself.")
        .def("__array__", &as_numpy, py::arg("dtype") = py::none(), py::kw_only(), py::arg("copy") = py::none())
        .def("release", [](const ArrayObject& self) {
            self.memory->release();
        }, "Gives the memory back now, for all arrays that share it. Queued work that uses it runs to its end.")
        .def("__enter__", [](const py::object& self) { return self; })
        .def("__exit__", [](const py::object& self, const py::object&, const py::object&, const py::object&) { self.attr("release")(); })
        .def("__repr__", &describe);
}

} // namespace qiao::python
