/* Queues: work for a device, in order. Also what keeps host memory alive that a copy in flight uses. */
#include <pybind11/stl.h>

#include <atomic>

#include "array.h"
#include "errors.h"
#include "objects.h"
#include "wait.h"

namespace qiao::python {
namespace {

/* One side of a copy: an array of a device, or any object that exports host memory. */
struct Side {
    qiao_place place{};
    uint64_t bytes = 0;
    Extents shape, strides; /* strides in bytes */
    uint32_t item_size = 0;
    bool is_contiguous = true;
    py::object keep; /* host memory; null for arrays, which the core keeps */
    MemoryObject* memory = nullptr; /* of an array */
};

Side side_of(const py::object& object, bool is_target) {
    const char* role = is_target ? "target" : "source";
    if (py::isinstance<ArrayObject>(object)) {
        const auto& array = object.cast<const ArrayObject&>();
        array.check_usable(std::string("the ") + role);
        if (is_target && !array.is_writable) raise_value_error("the target is a read-only array");
        return {{array.memory->device->device.get(), array.address}, array.size_bytes(), array.shape, array.strides, array.item_size,
                array.is_contiguous(), {}, array.memory.get()};
    }
    Py_buffer view;
    if (PyObject_GetBuffer(object.ptr(), &view, is_target ? PyBUF_WRITABLE | PyBUF_STRIDES : PyBUF_STRIDES) != 0) {
        PyErr_Clear();
        raise_type_error(std::string("the ") + role + " of a copy is an array of a device or " + (is_target ? "writable " : "") +
                         "host memory (numpy.ndarray, bytes), not " + type_name(object));
    }
    Side side{{nullptr, reinterpret_cast<uintptr_t>(view.buf)}, static_cast<uint64_t>(view.len), Extents(view.shape, view.ndim), Extents(view.strides, view.ndim),
              static_cast<uint32_t>(view.itemsize), PyBuffer_IsContiguous(&view, 'C') != 0, {}, nullptr};
    PyBuffer_Release(&view);
    side.keep = py::memoryview(object); // a view, so that a bytearray cannot be resized meanwhile
    return side;
}

/* Elements at strides as boxes: rows of bytes that lie together on both sides, in slices; what dimensions are left are gone through
 * one box after the other. */
class Boxes {
  public:
    Boxes(const Side& from, const Side& to) {
        if (from.shape.size() != to.shape.size() || !std::equal(from.shape.begin(), from.shape.end(), to.shape.begin()) || from.item_size != to.item_size)
            raise_value_error("the source of the copy and its target have different shapes or items; only contiguous ones are copied as bytes");
        copy_.source = from.place, copy_.target = to.place, copy_.size_bytes = from.item_size;
        for (size_t i = from.shape.size(); i-- > 0;) {
            if (from.shape[i] != 1) add(static_cast<uint64_t>(from.shape[i]), from.strides[i], to.strides[i]);
        }
    }

    Point submit(Queue& queue) const {
        uint64_t count = 1;
        for (const Dimension& each : outer_)
            count *= each.extent;
        if (count > kMostBoxes)
            raise_value_error("the copy has " + std::to_string(count) + " separate boxes, more than " + std::to_string(kMostBoxes) + "; copy one side first");
        Point last = queue.at(0);
        for (uint64_t index = 0; index < count; ++index) {
            qiao_copy box = copy_;
            uint64_t rest = index;
            for (const Dimension& each : outer_) {
                const uint64_t at = rest % each.extent;
                box.source.address += at * each.source_stride, box.target.address += at * each.target_stride;
                rest /= each.extent;
            }
            last = queue.copy(box);
        }
        return last;
    }

  private:
    static constexpr uint64_t kMostBoxes = 4096;
    struct Dimension {
        uint64_t extent, source_stride, target_stride;
    };

    void add(uint64_t extent, py::ssize_t source, py::ssize_t target) {
        if (source < 0 || target < 0) raise_value_error("a side of the copy has a negative stride; copy it first");
        const Dimension dimension = {extent, static_cast<uint64_t>(source), static_cast<uint64_t>(target)};
        const bool together = copy_.rows == 0 && outer_.empty() && dimension.source_stride == copy_.size_bytes && dimension.target_stride == copy_.size_bytes;
        if (together) {
            copy_.size_bytes *= extent;
        } else if (copy_.rows == 0 && outer_.empty() && holds(dimension, copy_.size_bytes, copy_.size_bytes)) {
            copy_.rows = extent, copy_.source_pitch = dimension.source_stride, copy_.target_pitch = dimension.target_stride;
        } else if (copy_.rows != 0 && copy_.slices == 0 && outer_.empty() && holds(dimension, span(copy_.source_pitch), span(copy_.target_pitch))) {
            copy_.slices = extent, copy_.source_slice_pitch = dimension.source_stride, copy_.target_slice_pitch = dimension.target_stride;
        } else {
            outer_.push_back(dimension);
        }
    }
    static bool holds(const Dimension& dimension, uint64_t source_bytes, uint64_t target_bytes) {
        return dimension.source_stride >= source_bytes && dimension.target_stride >= target_bytes;
    }
    uint64_t span(uint64_t pitch) const { return (copy_.rows - 1) * pitch + copy_.size_bytes; }

    qiao_copy copy_ = QIAO_COPY_INIT;
    std::vector<Dimension> outer_;
};

PointObject copy(QueueObject& queue, const py::object& source, const py::object& target) {
    const Side from = side_of(source, false), to = side_of(target, true);
    if (from.bytes != to.bytes)
        raise_value_error("the source of the copy has " + std::to_string(from.bytes) + " bytes, its target " + std::to_string(to.bytes));
    for (const Side* side : {&from, &to})
        if (side->memory != nullptr) side->memory->use_on(queue);
    const bool plain = (from.is_contiguous && to.is_contiguous) || from.bytes == 0;
    const Point point = plain ? queue.use().copy({from.place, to.place, from.bytes, 1, 0, 0, 0, 1, 0, 0}) : Boxes(from, to).submit(queue.use());
    if (from.keep) queue.borrow(point, from.keep);
    if (to.keep) queue.borrow(point, to.keep);
    return queue.at(point);
}

const char* path_name(qiao_copy_path path) {
    constexpr const char* kNames[] = {"unknown", "direct", "peer", "mapped", "staged", "host"};
    return path < std::size(kNames) ? kNames[path] : kNames[0];
}

/* What became of a copy, by names that a plot or a log can take. */
py::object report(QueueObject& queue, const PointObject& point) {
    const auto report = queue.use().report(point.timeline->timeline.at(point.value));
    if (!report) return py::none();
    py::dict values;
    values["path"] = path_name(report->path);
    values["status"] = report->status == QIAO_OK ? py::object(py::none()) : py::object(py::str(qiao_status_get_name(report->status)));
    values["total_bytes"] = report->total_bytes;
    values["done_bytes"] = report->done_bytes;
    values["chunk_bytes"] = report->chunk_bytes;
    values["operations"] = report->operations;
    return values;
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
             "Copies between arrays (of any devices) and host memory, which is kept alive and must not be changed until the point is "
             "reached. Contiguous sides need only have as many bytes; elements at strides are copied between equal shapes.")
        .def("copy_report", &report, py::arg("point"),
             "What the copy has done, as a dict: path (\"direct\", \"peer\", \"mapped\", \"staged\", \"host\"), status (None, or the name "
             "of the error), total_bytes, done_bytes, chunk_bytes, operations. None before it has ended.")
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
