/* Queues: launches, copies, fills, waits and calls of the host, in order. Every operation returns its Point. */
#ifndef QIAO_HPP_QUEUE_HPP
#define QIAO_HPP_QUEUE_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "qiao/hpp/call.hpp"
#include "qiao/hpp/device.hpp"
#include "qiao/hpp/kernel.hpp"
#include "qiao/hpp/owner.hpp"
#include "qiao/hpp/place.hpp"
#include "qiao/hpp/shape.hpp"
#include "qiao/hpp/timeline.hpp"
#include "qiao/queue.h"

namespace qiao {
inline namespace v0 {

struct QueueOptions {
    bool profiling = false; ///< keep timestamps of operations; costs time
    uint32_t priority = 0;  ///< 0 = normal, higher = sooner; below the device's queue_priorities
};

/// Of one operation, on the device's clock.
struct Timestamps {
    uint64_t start_ns = 0, end_ns = 0;
};

/// Elements of a copy along each dimension, the fastest first.
struct Extent {
    uint64_t width = 1, height = 1, depth = 1;
};

/// Where a box lies in an array of rows and slices, in elements. Zero: rows, or slices, one behind the other.
struct Pitches {
    uint64_t row = 0, slice = 0;
};

namespace detail {
template <class Source, class Target>
qiao_copy plain_copy(const Source& from, const Target& to) noexcept {
    qiao_copy copy = QIAO_COPY_INIT;
    copy.source = from.place;
    copy.target = to.place;
    copy.size_bytes = from.count * sizeof(typename Target::Element);
    return copy;
}

inline Pitches whole(Pitches pitches, const Extent& extent) noexcept {
    if (pitches.row == 0) pitches.row = extent.width;
    if (pitches.slice == 0) pitches.slice = pitches.row * extent.height;
    return pitches;
}
/// Sizes so large that this overflows leave an allocation too: the library refuses them.
inline void check_reach(const char* side, uint64_t count, const Pitches& pitches, const Extent& extent) {
    if (extent.width == 0 || extent.height == 0 || extent.depth == 0)
        refuse(QIAO_ERROR_OUT_OF_RANGE, "an extent of the copy is 0", "copy at least one element");
    const uint64_t last = (extent.depth - 1) * pitches.slice + (extent.height - 1) * pitches.row + extent.width;
    if (last <= count) return;
    refuse(QIAO_ERROR_OUT_OF_RANGE,
           std::string("the ") + side + " of the copy has " + std::to_string(count) + " elements, the box reaches to " + std::to_string(last),
           "take a smaller extent, or the pitches that the elements lie at");
}

template <class T>
struct Identity {
    using Type = T;
};
/// The type of a parameter that converts what it is given instead of deducing T from it.
template <class T>
using Given = typename Identity<T>::Type;
} // namespace detail

/// Work for a device, in order; concurrency is several queues. All operations return at once, may be submitted from several
/// threads, and submit nothing if they throw. One that fails on the device fails its queue: later ones never run, and
/// waiting for them throws its error. Destruction never waits: submitted work runs to its end.
class Queue : public Owner<qiao_queue, qiao_queue_retain, qiao_queue_release> {
  public:
    Queue() noexcept = default;
    explicit Queue(Device device, QueueOptions options = QueueOptions()) : Queue(create(device, options)) {}
    /// Takes over the caller's reference, also if it throws.
    static Queue adopt(qiao_queue* owned) { return Queue(owned); }

    /// A queue over the vendor's own, which stays the application's.
    static Queue wrap(Device device, const qiao_native& native, QueueOptions options = QueueOptions()) {
        const qiao_queue_desc desc = describe(options);
        qiao_queue* made = nullptr;
        check(qiao_queue_wrap(device.get(), &native, &desc, &made));
        return Queue(made);
    }

    Queue share() const { return Queue(retained()); }
    /// The vendor's own queue. UnsupportedError if the plugin gives none out.
    qiao_native native() const {
        qiao_native native = QIAO_NATIVE_INIT;
        check(qiao_queue_get_native(get(), &native));
        return native;
    }

    /// The queue's timeline, retained: it may be kept longer than the queue.
    Timeline timeline() const {
        check(qiao_timeline_retain(timeline_));
        return Timeline::adopt(timeline_);
    }
    Point at(uint64_t value) const noexcept { return {timeline_, value}; }

    /// Runs a typed kernel: `queue.launch(add, 1000, a, b, sum)`. Buffers and slices give their addresses. Arguments are
    /// packed where the compiler knows them to be, and the call is that of C: nothing is allocated, locked or looked up.
    template <class... Arguments>
    Point launch(const TypedKernel<Arguments...>& kernel, const Shape& shape,
                 const detail::Given<Arguments>&... arguments) {
        const detail::Block<Arguments...> block(arguments...);
        return launch_packed(kernel.get(), shape, block.data(), block.kSize);
    }
    /// Runs a kernel with the packed block that its reflection describes: a trivially copyable struct.
    template <class Block>
    Point launch(Kernel kernel, const Shape& shape, const Block& block) {
        static_assert(std::is_trivially_copyable_v<Block> && !std::is_pointer_v<Block>,
                      "a packed block is the struct itself");
        return launch_packed(kernel.get(), shape, &block, sizeof block);
    }
    /// The same with a block whose size is known at run time.
    Point launch_packed(Kernel kernel, const Shape& shape, const void* block, std::size_t block_bytes) {
        uint64_t value;
        check(qiao_queue_launch(get(), kernel.get(), &shape.get(), block, block_bytes, &value));
        return at(value);
    }
    /// Runs a kernel without arguments.
    Point launch(Kernel kernel, const Shape& shape) {
        const uint64_t none = 0;
        return launch_packed(kernel, shape, &none, 0);
    }

    /// Copies elements from any place to any place: Buffer, Slice (also of another vendor's device), or host memory as a
    /// container, array or span, which must stay valid until the point is reached (temporary containers are refused by the
    /// compiler). Both must have as many elements, and must not overlap.
    template <class Source, class Target>
    Point copy(Source&& source, Target&& target) {
        const auto from = detail::place_of(std::forward<Source>(source));
        const auto to = detail::place_of(std::forward<Target>(target));
        static_assert(
            std::is_same_v<std::remove_const_t<typename decltype(from)::Element>, typename decltype(to)::Element>,
            "the elements of source and target must be of one type, and those of the target not const");
        detail::check_counts(from.count, to.count);
        return copy(detail::plain_copy(from, to));
    }
    /// Copies a box: `queue.copy_box(picture, {1920}, part, {640}, {640, 480})`. Source and target begin at the box's first
    /// element, and must reach to its last; both may have more.
    template <class Source, class Target>
    Point copy_box(Source&& source, Pitches source_pitches, Target&& target, Pitches target_pitches, const Extent& extent) {
        return copy(box(std::forward<Source>(source), source_pitches, std::forward<Target>(target), target_pitches, extent));
    }
    /// What copy_box gives to C, for plan().
    template <class Source, class Target>
    static qiao_copy box(Source&& source, Pitches source_pitches, Target&& target, Pitches target_pitches, const Extent& extent) {
        const auto from = detail::place_of(std::forward<Source>(source));
        const auto to = detail::place_of(std::forward<Target>(target));
        static_assert(
            std::is_same_v<std::remove_const_t<typename decltype(from)::Element>, typename decltype(to)::Element>,
            "the elements of source and target must be of one type, and those of the target not const");
        using Element = typename decltype(to)::Element;
        source_pitches = detail::whole(source_pitches, extent);
        target_pitches = detail::whole(target_pitches, extent);
        detail::check_reach("source", from.count, source_pitches, extent);
        detail::check_reach("target", to.count, target_pitches, extent);
        return {from.place,
                to.place,
                extent.width * sizeof(Element),
                extent.height,
                source_pitches.row * sizeof(Element),
                target_pitches.row * sizeof(Element),
                0,
                extent.depth,
                source_pitches.slice * sizeof(Element),
                target_pitches.slice * sizeof(Element)};
    }
    /// Rows and slices of bytes, or places that only addresses tell.
    Point copy(const qiao_copy& bytes) {
        uint64_t value = 0;
        check(qiao_queue_copy(get(), &bytes, &value));
        return at(value);
    }

    /// What the copy would do if it were given now: its path, among others.
    qiao_copy_plan plan(const qiao_copy& bytes) const {
        qiao_copy_plan plan = QIAO_COPY_PLAN_INIT;
        check(qiao_queue_query_copy(get(), &bytes, &plan));
        return plan;
    }
    /// What a copy has done, also one that failed: then `status` says why, and `done_bytes` how far it came. Nothing if it has not
    /// ended yet. NotFoundError if the point is no copy's, or not one of the last 256 copies.
    std::optional<qiao_copy_report> report(const Point& point) const {
        check_own(point);
        qiao_copy_report report = QIAO_COPY_REPORT_INIT;
        if (!detail::has_ended(qiao_queue_query_copy_report(get(), point.value(), &report))) return std::nullopt;
        return report;
    }
    /// Every element becomes `value`, of 1, 2, 4, 8 or 16 bytes.
    template <class Target>
    Point fill(Target&& target, const typename std::decay_t<Target>::element_type& value) {
        const auto to = detail::place_of(std::forward<Target>(target));
        using Element = typename decltype(to)::Element;
        static_assert(sizeof(Element) <= 16 && (sizeof(Element) & (sizeof(Element) - 1)) == 0,
                      "a pattern has 1, 2, 4, 8 or 16 bytes");
        uint64_t reached = 0;
        check(qiao_queue_fill(get(), to.place, to.count * sizeof(Element), &value, sizeof(Element), &reached));
        return at(reached);
    }

    /// Moves shared memory to the queue's device, so that the launch behind it moves nothing, or to the host once what is before it
    /// has ended, so that the wait behind it finds the results there. Does nothing for memory of which nothing is moved.
    template <class Target>
    Point prefetch_to_device(Target&& range) {
        const auto to = detail::place_of(std::forward<Target>(range));
        return prefetch(to.place, to.count * sizeof(typename decltype(to)::Element), to.place.device);
    }
    template <class Target>
    Point prefetch_to_host(Target&& range) {
        const auto to = detail::place_of(std::forward<Target>(range));
        return prefetch(to.place, to.count * sizeof(typename decltype(to)::Element), Device());
    }
    /// A place that only an address tells; a null target is the host.
    Point prefetch(const qiao_place& place, uint64_t size_bytes, Device target) {
        uint64_t value = 0;
        check(qiao_queue_prefetch(get(), place, size_bytes, target.get(), &value));
        return at(value);
    }

    /// Later operations start when the point is reached, also one that is not submitted yet, of any device.
    Point after(const Point& point) {
        uint64_t value = 0;
        check(qiao_queue_after(get(), point.timeline(), point.value(), &value));
        return at(value);
    }
    /// Raises a timeline that the application created, `queue.signal(timeline.at(3))`, when everything before has ended.
    Point signal(const Point& point) {
        uint64_t value = 0;
        check(qiao_queue_signal(get(), point.timeline(), point.value(), &value));
        return at(value);
    }
    /// Calls `function(qiao_status)` on a thread of Qiao when everything before has ended: exactly once, with QIAO_OK or
    /// the status with which the queue failed. The queue keeps the function (moved or copied) until then, and destroys it
    /// on that thread; later operations wait for it. It may submit work; it must not wait for its own queue, nor hold the
    /// last reference to the instance.
    /// A noexcept function gives a Point. What another one throws is kept and thrown by wait() of the Call it gives.
    template <class Function>
    auto call(Function&& function) {
        using Callee = detail::Callee<std::decay_t<Function>>;
        auto callee = std::make_unique<Callee>(std::forward<Function>(function));
        auto outcome = callee->outcome();
        uint64_t value = 0;
        check(qiao_queue_call(get(), &Callee::run, callee.get(), &value));
        static_cast<void>(callee.release()); // run() owns it, and may have destroyed it already
        return detail::finish_call(at(value), std::move(outcome));
    }

    /// Of an operation of a queue with profiling; nothing if it has not ended yet. NotFoundError if it is so old that it has
    /// been forgotten (at least the last 256 are kept).
    std::optional<Timestamps> timestamps(const Point& point) const {
        check_own(point);
        Timestamps times;
        if (!detail::has_ended(qiao_queue_query_timestamps(get(), point.value(), &times.start_ns, &times.end_ns)))
            return std::nullopt;
        return times;
    }

  private:
    explicit Queue(qiao_queue* owned) : Owner(owned) { check(qiao_queue_get_timeline(owned, &timeline_)); }

    void check_own(const Point& point) const {
        if (point.timeline() == timeline_) return;
        detail::refuse(QIAO_ERROR_INVALID_ARGUMENT, "the point is of another timeline", "ask the queue that returned it");
    }
    static qiao_queue_desc describe(const QueueOptions& options) {
        qiao_queue_desc desc = QIAO_QUEUE_DESC_INIT;
        desc.flags = options.profiling ? QIAO_QUEUE_PROFILING : 0;
        desc.priority = options.priority;
        return desc;
    }
    static qiao_queue* create(Device device, const QueueOptions& options) {
        const qiao_queue_desc desc = describe(options);
        qiao_queue* made = nullptr;
        check(qiao_queue_create(device.get(), &desc, &made));
        return made;
    }

    qiao_timeline* timeline_ = nullptr;
};

} // namespace v0
} // namespace qiao

#endif
