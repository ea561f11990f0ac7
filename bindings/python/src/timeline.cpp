/* Timelines, and points on them: how Python knows that work has ended. */
#include <pybind11/stl.h>

#include "errors.h"
#include "objects.h"
#include "wait.h"
#include "waiter.h"

namespace qiao::python {
namespace {

bool is_reached(const PointObject& point) { return point.timeline->timeline.at(point.value).reached(); }

void wait(const PointObject& point, Timeout timeout) {
    if (wait_until(point.timeline->timeline, point.value, timeout)) return;
    raise(QIAO_TIMEOUT, "the time limit of " + std::to_string(*timeout) + " s passed before " + point.timeline->name + " reached " +
                            std::to_string(point.value),
          "the work goes on: wait again");
}

std::string describe(const PointObject& point) { return "<qiao.Point " + point.timeline->name + " " + std::to_string(point.value) + ">"; }

} // namespace

void bind_timeline(py::module_& module) {
    py::class_<PointObject>(module, "Point", "A moment on a timeline: the end of an operation. May be awaited.")
        .def_property_readonly("reached", &is_reached, "Whether it is reached now. Never blocks; raises the error with which the work failed.")
        .def_readonly("value", &PointObject::value)
        .def_readonly("timeline", &PointObject::timeline)
        .def("wait", &wait, py::arg("timeout") = py::none(),
             "Blocks until it is reached; raises the error with which the work failed, or TimeoutError after `timeout` seconds. "
             "Other threads run meanwhile, and Ctrl-C ends it.")
        .def("__await__", [](const py::object& self) { return py::module_::import("qiao._await").attr("wait_for")(self).attr("__await__")(); })
        .def("__repr__", &describe);

    py::class_<TimelineObject, std::shared_ptr<TimelineObject>>(module, "Timeline", "A 64-bit counter that only rises.")
        .def_property_readonly("value", [](const TimelineObject& self) { return self.timeline.value(); },
                               "What is reached now; asks the device if need be.")
        .def("at", [](const std::shared_ptr<TimelineObject>& self, uint64_t value) { return PointObject{self, value}; }, py::arg("value"))
        .def("signal", [](TimelineObject& self, uint64_t value) { self.timeline.signal(value); }, py::arg("value"),
             "Raises it. Only for timelines that the application made.");

    py::class_<Waiter>(module, "Waiter", "Makes a file descriptor readable when a point is reached or has failed.")
        .def(py::init([](const PointObject& point) { return std::make_unique<Waiter>(point.timeline->timeline.share(), point.value); }),
             py::arg("point"))
        .def("fileno", &Waiter::descriptor)
        .def("close", [](Waiter& self) {
            const py::gil_scoped_release others;
            self.close();
        });
}

} // namespace qiao::python
