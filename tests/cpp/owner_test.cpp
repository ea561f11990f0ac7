// Owners: moves, sharing, hand-over to C and back, and destruction in any order.
#include <type_traits>
#include <utility>

#include "support/session.h"

using namespace cpp;

namespace {

template <class T>
constexpr bool kIsOwner = !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> &&
                          std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>;
static_assert(kIsOwner<qiao::Instance> && kIsOwner<qiao::Memory> && kIsOwner<qiao::Buffer<float>>);
static_assert(kIsOwner<qiao::Program> && kIsOwner<qiao::Queue> && kIsOwner<qiao::Timeline> && kIsOwner<qiao::Mapping<int>>);

template <class T>
constexpr bool kIsView = std::is_trivially_copyable_v<T>;
static_assert(kIsView<qiao::Device> && kIsView<qiao::Kernel> && kIsView<qiao::Point> && kIsView<qiao::Slice<float>>);
static_assert(kIsView<AddKernel> && sizeof(AddKernel) == sizeof(void*) && sizeof(qiao::Point) == 16 && sizeof(qiao::Address<int>) == 8);

bool is_alive(qiao_memory* memory) {
    uint64_t address = 0;
    return qiao_memory_get_address(memory, &address) == QIAO_OK;
}

}  // namespace

TEST_SUITE("owner.move") {
    TEST_CASE("the source of a move is empty, the target has its object") {
        const Session session;
        qiao::Memory first(session.device, 64);
        qiao_memory* const handle = first.get();
        qiao::Memory second = std::move(first);
        CHECK(second.get() == handle);
        CHECK(!first);  // NOLINT: what a move leaves is what is tested
        CHECK(is_alive(handle));
    }

    TEST_CASE("assignment releases what the target had, once") {
        const Session session;
        qiao::Memory target(session.device, 64), source(session.device, 64);
        qiao_memory *const old = target.get(), *const moved = source.get();
        target = std::move(source);
        CHECK(!is_alive(old));
        CHECK(is_alive(moved));
        target = qiao::Memory();
        CHECK(!target);
        CHECK(!is_alive(moved));
    }

    TEST_CASE("assignment to itself changes nothing") {
        const Session session;
        qiao::Memory memory(session.device, 64);
        qiao::Memory& same = memory;
        memory = std::move(same);
        CHECK(is_alive(memory.get()));
        CHECK(memory.size_bytes() == 64);
    }

    TEST_CASE("owners live in containers") {
        const Session session;
        std::vector<qiao::Buffer<uint32_t>> buffers;
        for (uint32_t i = 0; i < 20; ++i) buffers.emplace_back(session.device, numbers(4, i));
        for (uint32_t i = 0; i < 20; ++i) CHECK(buffers[i].read() == numbers(4, i));
    }
}

TEST_SUITE("owner.share") {
    TEST_CASE("each share is a reference of its own") {
        const Session session;
        qiao::Memory first(session.device, 64);
        qiao_memory* const handle = first.get();
        {
            const qiao::Memory second = first.share();
            CHECK(second.get() == handle);
            CHECK(second.address() == first.address());
            first = qiao::Memory();
            CHECK(is_alive(handle));
        }
        CHECK(!is_alive(handle));
    }

    TEST_CASE("nothing cannot be shared") {
        const auto record = record_of([] { static_cast<void>(qiao::Queue().share()); });
        CHECK(record.status == QIAO_ERROR_INVALID_HANDLE);
    }

    TEST_CASE("every owner shares") {
        const Session session;
        const qiao::Instance instance = session.instance.share();
        CHECK(instance.find_device(selector()) == session.device);
        const qiao::Program program = session.program();
        CHECK(program.share().kernel("add").get() == program.kernel("add").get());
        const qiao::Timeline timeline(instance, 7);
        CHECK(timeline.share().value() == 7);
        const qiao::Queue queue(session.device);
        CHECK(queue.share().get() == queue.get());
    }
}

TEST_SUITE("owner.adopt") {
    TEST_CASE("a reference goes to C and comes back") {
        const Session session;
        qiao::Buffer<uint32_t> buffer(session.device, numbers(8));
        qiao::Memory memory = buffer.memory().share();
        qiao_memory* const handle = memory.detach();
        CHECK(!memory);
        buffer = qiao::Buffer<uint32_t>();
        CHECK(is_alive(handle));
        CHECK(qiao::Buffer<uint32_t>(qiao::Memory::adopt(handle)).read() == numbers(8));
        CHECK(!is_alive(handle));
    }

    TEST_CASE("a queue from C launches and waits") {
        const Session session;
        qiao_queue* made = nullptr;
        qiao::check(qiao_queue_create(session.device.get(), nullptr, &made));
        qiao::Queue queue = qiao::Queue::adopt(made);
        const qiao::Buffer<uint32_t> buffer(session.device, 4);
        wait_for(queue.fill(buffer, 9));
        CHECK(buffer.read() == std::vector<uint32_t>(4, 9));
    }

    TEST_CASE("what is not a handle is refused with a record") {
        const auto record = record_of([] { qiao::Queue::adopt(nullptr); });
        CHECK(record.status == QIAO_ERROR_INVALID_HANDLE);
        CHECK(!record.message.empty());
    }
}

TEST_SUITE("owner.order") {
    TEST_CASE("children outlive the instance and still work") {
        qiao::Queue queue;
        qiao::Program program;
        qiao::Buffer<uint32_t> a, b, sum;
        AddKernel add;
        {
            const Session session;
            program = session.program();
            add = session.add(program);
            queue = qiao::Queue(session.device);
            a = qiao::Buffer<uint32_t>(session.device, numbers(100));
            b = qiao::Buffer<uint32_t>(session.device, numbers(100, 1000));
            sum = qiao::Buffer<uint32_t>(session.device, 100);
        }
        wait_for(queue.launch(add, 100, a, b, sum));
        CHECK(sum.read()[99] == 99 + 1099);
    }

    TEST_CASE("queued work keeps what it uses") {
        const Session session;
        const qiao::Buffer<uint32_t> sum(session.device, 16);
        qiao::Timeline gate(session.instance);
        qiao::Timeline timeline;
        qiao::Point done;
        {
            const qiao::Program program = session.program();
            const qiao::Buffer<uint32_t> a(session.device, numbers(16)), b(session.device, numbers(16));
            qiao::Queue queue(session.device);
            queue.after(gate.at(1));
            done = queue.launch(session.add(program), 16, a, b, sum);
            timeline = queue.timeline();
        }
        gate.signal(1);
        wait_for(timeline.at(done.value()));
        CHECK(sum.read()[15] == 30);
    }

    TEST_CASE("a point whose queue is gone says so") {
        const Session session;
        qiao::Point point;
        {
            qiao::Queue queue(session.device);
            const qiao::Buffer<uint32_t> buffer(session.device, 4);
            point = queue.fill(buffer, 1);
            wait_for(point);
        }
        CHECK(record_of([&] { point.wait(); }).status == QIAO_ERROR_INVALID_HANDLE);
        CHECK(record_of([] { qiao::Point().wait(); }).status == QIAO_ERROR_INVALID_HANDLE);
    }
}
