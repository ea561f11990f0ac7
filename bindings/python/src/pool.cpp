/* Pools: arrays of memory that is used again in the order of queues. An array is freed in the order of the queue it was made
 * for. Python says not when its last use is submitted, and by which queues: so each other queue that uses it is remembered,
 * ordered behind the array's own at its first use, and before the free the array's own behind it. */
#include <algorithm>
#include <optional>
#include <utility>

#include "array.h"
#include "errors.h"
#include "wait.h"

namespace qiao::python {
namespace {

/* The last value that the queue has given out; none if it has failed: then its work is over. A wait for the queue's own past
 * submits nothing, and tells it. */
std::optional<uint64_t> last_value(const Queue& queue, qiao_timeline*& out_timeline) {
    uint64_t last = 0;
    if (qiao_queue_get_timeline(queue.get(), &out_timeline) != QIAO_OK || qiao_queue_after(queue.get(), out_timeline, 0, &last) != QIAO_OK) return {};
    return last;
}

/* What is submitted to `queue` from now on runs when all that `other` was given has ended; false if the queue takes nothing. */
bool order_behind(const Queue& queue, const Queue& other) {
    qiao_timeline* timeline = nullptr;
    const std::optional<uint64_t> last = last_value(other, timeline);
    return !last || qiao_queue_after(queue.get(), timeline, *last, nullptr) == QIAO_OK;
}

py::object statistics_of(const PoolObject& self) {
    const PoolStatistics now = self.pool.statistics();
    return py::module_::import("qiao.pools")
        .attr("PoolStatistics")(now.reserved_bytes, now.reserved_peak_bytes, now.used_bytes, now.used_peak_bytes, now.requested_bytes, now.pending_bytes,
                                now.largest_free_bytes, now.allocation_count, now.allocated_count, now.reused_count, now.reused_in_order_count,
                                now.segment_count, now.fragmentation);
}

/* The queue given, or the device's own. */
QueueObject& queue_for(const PoolObject& pool, py::handle queue) {
    if (queue.is_none()) return pool.device->queue();
    if (!py::isinstance<QueueObject>(queue)) raise_type_error("'queue' is a qiao.Queue or None, not '" + type_name(queue) + "'");
    return queue.cast<QueueObject&>();
}

ArrayObject full_from(const std::shared_ptr<PoolObject>& pool, const py::object& shape, const py::object& value, const py::object& dtype,
                      const py::object& queue) {
    return filled(queue_for(*pool, queue), empty(pool, shape, dtype_for(value, dtype), queue), value);
}

ArrayObject array_from(const std::shared_ptr<PoolObject>& pool, const py::object& values, const py::object& dtype, const py::object& queue) {
    const py::object host = as_host_array(values, dtype);
    ArrayObject made = empty(pool, host.attr("shape"), host.attr("dtype"), queue);
    set(made, host, queue.is_none() ? nullptr : queue.cast<std::shared_ptr<QueueObject>>());
    return made;
}

} // namespace

Pool& PoolObject::use() {
    if (is_released) raise(QIAO_ERROR_INVALID_HANDLE, "the pool was released", "make another one with device.pool()");
    if (resets != device->resets) raise(QIAO_ERROR_DEVICE_LOST, "the pool is from before " + device->id + " was reset", "make it again", device->id);
    return pool;
}

void PoolShare::visit(Queue& queue) {
    const auto is_queue = [&](const Queue& other) { return other.get() == queue.get(); };
    if (is_queue(home) || std::any_of(visitors.begin(), visitors.end(), is_queue)) return;
    visitors.push_back(queue.share());
    if (!order_behind(queue, home)) check(qiao_queue_after(queue.get(), queue.timeline().get(), 0, nullptr)); // says why
}

void PoolShare::settle() {
    qiao_timeline* timeline = nullptr;
    const std::optional<uint64_t> last = is_settled ? std::nullopt : last_value(home, timeline);
    if (last) wait_until(home.timeline(), *last, std::nullopt);
    is_settled = true;
}

void PoolShare::free(uint64_t address) noexcept {
    const Queue* order = &home;
    for (size_t i = 0; i < visitors.size(); ++i) {
        if (&visitors[i] == order || order_behind(*order, visitors[i])) continue;
        order = &visitors[i]; // the former has failed, and takes no more waits: begin again with one that goes on
        i = SIZE_MAX;
    }
    static_cast<void>(qiao_pool_free(pool->pool.get(), address, order->get()));
}

MemoryObject::MemoryObject(std::shared_ptr<PoolObject> pool, QueueObject& queue, uint64_t bytes)
    : device(pool->device), resets(pool->resets), share(std::make_unique<PoolShare>(PoolShare{pool, queue.use().share(), {}, false})) {
    Pool& from = pool->use();
    qiao_status status;
    {
        const py::gil_scoped_release others; // it may have to wait for work, and that for a function of Python's
        status = qiao_pool_allocate(from.get(), share->home.get(), bytes, &address);
    }
    check(status);
    if (pool->kind == MemoryKind::kDevice) return;
    qiao_memory* segment = nullptr;
    uint64_t offset = 0;
    qiao_memory_properties properties = QIAO_MEMORY_PROPERTIES_INIT;
    if (qiao_memory_find(device->device.get(), address, &segment, &offset) == QIAO_OK && qiao_memory_query(segment, &properties) == QIAO_OK &&
        properties.host_pointer != nullptr)
        host_pointer = static_cast<uint8_t*>(properties.host_pointer) + offset;
}

ArrayObject empty(const std::shared_ptr<PoolObject>& pool, py::handle shape, py::handle dtype, py::handle queue) {
    QueueObject& home = queue_for(*pool, queue);
    if (home.device != pool->device.get())
        raise_value_error("the queue is of " + home.device->id + ", the pool of " + pool->device->id);
    ArrayObject made = lay_out(shape, dtype);
    made.memory = std::make_shared<MemoryObject>(pool, home, bytes_to_have(made));
    made.address = made.memory->address;
    return made;
}

void bind_pool(py::module_& module) {
    py::class_<PoolObject, std::shared_ptr<PoolObject>> pool(
        module, "Pool", "Memory of a device that arrays are made from, and go back to when they are gone, in the order of queues.");
    bind_pool_empty(pool);
    pool.def_property_readonly("device", [](const PoolObject& self) { return self.device; })
        .def("zeros", [](const std::shared_ptr<PoolObject>& self, const py::object& shape, const py::object& dtype, const py::object& queue) {
            return full_from(self, shape, py::int_(0), dtype, queue);
        }, py::arg("shape"), py::arg("dtype") = "float32", py::kw_only(), py::arg("queue") = py::none())
        .def("full", &full_from, py::arg("shape"), py::arg("value"), py::arg("dtype") = py::none(), py::kw_only(), py::arg("queue") = py::none())
        .def("array", &array_from, py::arg("values"), py::arg("dtype") = py::none(), py::kw_only(), py::arg("queue") = py::none(),
             "An array with these values: anything numpy.asarray takes.")
        .def("trim", [](PoolObject& self, uint64_t keep) { self.pool.trim(keep); }, py::arg("keep") = 0,
             "Gives segments without an array back to the device until at most so many bytes are reserved.")
        .def_property_readonly("statistics", &statistics_of, "A PoolStatistics: one moment of the pool.")
        .def("reset_peaks", [](PoolObject& self) { self.pool.reset_peaks(); }, "The peaks begin again at what is reserved and used now.")
        .def("release", [](PoolObject& self) {
            if (std::exchange(self.is_released, true)) return;
            self.pool.trim();
        }, "Gives the memory back: what is unused now, and the rest when the last array of it is gone.")
        .def("__enter__", [](const py::object& self) { return self; })
        .def("__exit__", [](const py::object& self, const py::object&, const py::object&, const py::object&) { self.attr("release")(); })
        .def("__repr__", [](const PoolObject& self) {
            return "<qiao.Pool of " + self.device->id + (self.is_released ? ", released>" : ", " + std::to_string(self.pool.statistics().used_bytes) + " bytes in use>");
        });
}

} // namespace qiao::python
