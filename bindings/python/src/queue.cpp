/* Queues: work for a device, in order. Also what keeps host memory alive that a copy in flight uses. */
#include <pybind11/stl.h>

#include <atomic>

#include "array.h"
#include "errors.h"
#include "objects.h"
#include "wait.h"

namespace qiao::python {
namespace {

/* One side of a copy: an array of a device, or any object that exports contiguous host memory. */
struct Side {
    qiao_place place{};
    uint64_t bytes = 0;
    py::object keep; /* host memory; null for arrays, which the core keeps */
    MemoryObject* memory = nullptr; /* of an array */
};

Side side_of(const py::object& object, bool is_target) {
    const char* role = is_target ? "target" : "source";
    if (py::isinstance<ArrayObject>(object)) {
        const auto& array = object.cast<const ArrayObject&>();
        array.check_usable(std::string("the ") + role);
        if (!array.is_contiguous()) raise_value_error(std::string("the ") + role + " is not contiguous; copy it first");
        if (is_target && !array.is_writable) raise_value_error("the target is a read-only array");
        return {{array.memory->device->device.get(), array.address}, array.size_bytes(), {}, array.memory.get()};
    }
    Py_buffer view;
    if (PyObject_GetBuffer(object.ptr(), &view, is_target ? PyBUF_WRITABLE | PyBUF_C_CONTIGUOUS : PyBUF_C_CONTIGUOUS) != 0) {
        PyErr_Clear();
        raise_type_error(std::string("the ") + role + " of a copy is an array of a device or " + (is_target ? "writable, " : "") +
                         "contiguous host memory (numpy.ndarray, bytes), not " + type_name(object));
    }
    const uintptr_t address = reinterpret_cast<uintptr_t>(view.buf);
    const auto bytes = static_cast<uint64_t>(view.len);
    PyBuffer_Release(&view);
    return {{nullptr, address}, bytes, py::memoryview(object), nullptr}; // a view, so that a bytearray cannot be resized meanwhile
}

PointObject copy(QueueObject& queue, const py::object& source, const py::object& target) {
    const Side from = side_of(source, false), to = side_of(target, true);
    if (from.bytes != to.bytes)
        raise_value_error("the source of the copy has " + std::to_string(from.bytes) + " bytes, its target " + std::to_string(to.bytes));
    for (const Side* side : {&from, &to})
        if (side->memory != nullptr) side->memory->use_on(queue);
    const Point point = queue.use().copy({from.place, to.place, from.bytes, 1, 0, 0, 0});
    if (from.keep) queue.borrow(point, from.keep);
    if (to.keep) queue.borrow(point, to.keep);
    return queue.at(point);
}

/* Functions of Python's are called on threads of Qiao, which an interpreter that ends would kill: it waits for those that are
 * in one, and the rest are not called any more. */
std::atomic<bool> is_interpreter_ending{false};
std::atomic<uint32_t> calls_running{0};

void end_calls() {
    is_interpreter_ending = true;
    const py::gil_scoped_release others;
    for (uint32_t running = calls_running; running != 0; running = calls_running)
        calls_running.wait(running);
}

struct Call {
    py::function function;

    static void run(void* user, qiao_status status) noexcept {
        auto* const call = static_cast<Call*>(user);
        ++calls_running;
        if (!is_interpreter_ending) { // else its objects are gone, and so is the reason to free them
            const py::gil_scoped_acquire python;
            try {
                call->function(status);
            } catch (py::error_already_set& error) {
                error.discard_as_unraisable("a function called by a queue");
            } catch (...) { // nothing may enter the core
            }
            delete call;
        }
        if (--calls_running == 0) calls_running.notify_all();
    }
};

PointObject call(QueueObject& queue, py::function function) {
    auto call = std::make_unique<Call>(Call{std::move(function)});
    uint64_t value = 0;
    check(qiao_queue_call(queue.use().get(), &Call::run, call.get(), &value));
    static_cast<void>(call.release()); // run() owns it
    return queue.at(queue.queue.at(value));
}

py::object timestamps(const QueueObject& queue, const PointObject& point) {
    if (queue.is_released) raise(QIAO_ERROR_INVALID_HANDLE, "the queue was released");
    const auto times = queue.queue.timestamps(point.timeline->timeline.at(point.value));
    if (!times) return py::none();
    return py::make_tuple(times->start_ns, times->end_ns);
}

std::shared_ptr<QueueObject> create(const std::shared_ptr<DeviceObject>& device, bool profiling, uint32_t priority) {
    return std::make_shared<QueueObject>(device.get(), device, QueueOptions{profiling, priority});
}

} // namespace

QueueObject::QueueObject(DeviceObject* of, std::shared_ptr<DeviceObject> keeping, const QueueOptions& options)
    : device(of),
      owner(std::move(keeping)),
      queue(of->device, options),
      timeline(std::make_shared<TimelineObject>(TimelineObject{queue.timeline(), "the queue of " + of->id, false})) {}

QueueObject::~QueueObject() { release(); }

Queue& QueueObject::use() {
    if (is_released) raise(QIAO_ERROR_INVALID_HANDLE, "the queue was released", "make another one with device.create_queue()");
    return queue;
}

void QueueObject::borrow(const Point& until, py::object what) {
    while (!borrowed.empty()) {
        const qiao_status status = qiao_timeline_reached(timeline->timeline.get(), borrowed.front().first);
        if (status == QIAO_NOT_READY) break;
        borrowed.pop_front();
    }
    borrowed.emplace_back(until.value(), std::move(what));
}

void QueueObject::release() {
    if (std::exchange(is_released, true)) return;
    if (!borrowed.empty()) { // the memory of copies in flight must outlive them; a failed queue has ended too
        const py::gil_scoped_release others;
        static_cast<void>(qiao_timeline_wait(timeline->timeline.get(), borrowed.back().first, QIAO_TIMEOUT_INFINITE));
    }
    borrowed.clear();
    queue = Queue();
}

void bind_queue(py::module_& module) {
    py::module_::import("atexit").attr("register")(py::cpp_function(&end_calls));
    py::class_<QueueObject, std::shared_ptr<QueueObject>>(
        module, "Queue", "Work for a device, in order; several queues run at the same time. Operations return at once, with a Point.")
        .def(py::init(&create), py::arg("device"), py::kw_only(), py::arg("profiling") = false, py::arg("priority") = 0)
        .def_property_readonly("device", [](const QueueObject& self) { return self.device->share(); })
        .def_property_readonly("timeline", [](const QueueObject& self) { return self.timeline; })
        .def("copy", &copy, py::arg("source"), py::arg("target"),
             "Copies bytes between arrays (of any devices) and contiguous host memory, which is kept alive and must not be changed "
             "until the point is reached.")
        .def("fill", [](QueueObject& self, const ArrayObject& target, const py::object& value) { return fill(self, target, value); },
             py::arg("target"), py::arg("value"))
        .def("after", [](QueueObject& self, const PointObject& point) {
            return self.at(self.use().after(point.timeline->timeline.at(point.value)));
        }, py::arg("point"), "Later operations start when the point, of any queue of any device, is reached.")
        .def("signal", [](QueueObject& self, const PointObject& point) {
            return self.at(self.use().signal(point.timeline->timeline.at(point.value)));
        }, py::arg("point"), "Raises a timeline that the application made when everything before has ended.")
        .def("call", &call, py::arg("function"),
             "Calls function(status) on another thread when everything before has ended; later operations wait for it. What it "
             "raises goes to sys.unraisablehook.")
        .def("timestamps", &timestamps, py::arg("point"),
             "(start, end) of an operation in nanoseconds of the device's clock; None before it has ended. For queues with profiling.")
        .def("synchronize", [](QueueObject& self, Timeout timeout) {
            // To wait for itself is no work for a queue: the answer is the last value that was submitted.
            const PointObject last = self.at(self.use().after(self.timeline->timeline.at(0)));
            if (!wait_until(last.timeline->timeline, last.value, timeout))
                raise(QIAO_TIMEOUT, "the time limit of " + std::to_string(*timeout) + " s passed before the queue was empty", "wait again");
        }, py::arg("timeout") = py::none(), "Waits until everything that was submitted has ended.")
        .def("release", &QueueObject::release, "Gives the queue back; submitted work runs to its end.")
        .def("__enter__", [](const py::object& self) { return self; })
        .def("__exit__", [](const py::object& self, const py::object& type, const py::object&, const py::object&) {
            if (type.is_none()) self.attr("synchronize")();
            self.attr("release")();
        })
        .def("__repr__", [](const QueueObject& self) { return "<qiao.Queue of " + self.device->id + ">"; });
}

} // namespace qiao::python
