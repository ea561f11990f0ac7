/* What the Python objects are made of, and who keeps whom alive: an instance owns its devices, a device its default queue;
 * a shared pointer to one of these shares the instance. Everything else holds such a pointer. C objects keep their own
 * parents alive as well, so the order in which Python drops its objects is free. Everything here is used under the GIL. */
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "binding.h"

namespace qiao::python {

struct DeviceObject;

/* A timeline, and a name for it in messages. */
struct TimelineObject {
    Timeline timeline;
    std::string name;
    bool is_own = true; /* made by the application: it may be raised by it */
};

/* A moment: a value of a timeline. */
struct PointObject {
    std::shared_ptr<TimelineObject> timeline;
    uint64_t value = 0;
};

struct QueueObject {
    DeviceObject* device = nullptr;
    std::shared_ptr<DeviceObject> owner; /* null for the device's default queue, which the device owns */
    Queue queue;
    std::shared_ptr<TimelineObject> timeline;
    /* Host memory that copies in flight use, each with the value after which it may go. */
    std::deque<std::pair<uint64_t, py::object>> borrowed;
    bool is_released = false;

    QueueObject(DeviceObject* of, std::shared_ptr<DeviceObject> keeping, const QueueOptions& options);
    ~QueueObject();
    QueueObject(const QueueObject&) = delete;
    QueueObject& operator=(const QueueObject&) = delete;

    /* The queue for a new operation; raises if it was released. */
    Queue& use();
    PointObject at(const Point& point) const { return {timeline, point.value()}; }
    void borrow(const Point& until, py::object what);
    void release();
};

struct InstanceObject;

/* The names of a set of features: "fp64", "int64", ... */
py::frozenset features_of(qiao_features features);

struct DeviceObject {
    InstanceObject* instance = nullptr;
    Device device;
    std::string id;
    std::optional<QueueObject> default_queue; /* made when it is used first */
    uint32_t resets = 0;

    std::shared_ptr<DeviceObject> share();
    std::shared_ptr<QueueObject> share_queue();
    QueueObject& queue();
    /* The host can use its memory through a pointer. */
    bool has_kind(MemoryKind kind) const { return device.properties().has(kind); }
};

/* Memory that arrays are made from in the order of queues. */
struct PoolObject {
    std::shared_ptr<DeviceObject> device;
    Pool pool;
    MemoryKind kind = MemoryKind::kDevice;
    uint32_t resets = 0; /* of the device, when this was made */
    bool is_released = false; /* gives no memory any more; what it has stays until the last array of it is gone */

    /* The pool for a new array; raises if it gives none. */
    Pool& use();
};

struct InstanceObject : std::enable_shared_from_this<InstanceObject> {
    explicit InstanceObject(const InstanceOptions& options);

    Instance instance;
    std::deque<DeviceObject> devices; /* of the ledger, in its order; they do not move */
};

struct TopologyObject {
    std::shared_ptr<InstanceObject> instance;
    Topology topology;
};

/* Without providers all are asked. */
std::shared_ptr<TopologyObject> make_topology(const std::shared_ptr<InstanceObject>& instance, const std::optional<std::string>& sysfs_root,
                                              const std::optional<std::vector<std::string>>& providers);

} // namespace qiao::python
