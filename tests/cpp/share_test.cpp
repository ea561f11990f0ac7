// Sharing: host memory, exported memory and timelines as owners, errors as exceptions.
#include "support/session.h"

#include <sys/mman.h>
#include <unistd.h>

using namespace cpp;

// Fixtures import nothing.
TEST_SUITE("share.compiled") {
    TEST_CASE("host memory is used where it lies") {
        const Session session;
        void* pages = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(pages != MAP_FAILED);
        {
            const qiao::Buffer<uint32_t> buffer(qiao::Memory::import_host(session.device, pages, 4096));
            CHECK(buffer.memory().host_pointer() == pages);
            CHECK(buffer.memory().kind() == qiao::MemoryKind::kHost);
            qiao::Queue queue(session.device);
            wait_for(queue.fill(buffer, 7u));
            CHECK(static_cast<const uint32_t*>(pages)[1023] == 7);
            CHECK_THROWS_AS(qiao::Memory::import_host(session.device, pages, 64), qiao::Error);
        }
        munmap(pages, 4096);
    }

    TEST_CASE("memory and timelines go to another instance") {
        const Session session, other;
        qiao::MemoryOptions options;
        options.kind = qiao::MemoryKind::kHost;
        options.shareable = true;
        const qiao::Buffer<uint32_t> buffer(session.device, 100, options);
        qiao::Timeline timeline = qiao::Timeline::shareable(session.instance, 4);
        const qiao::ExportedHandle memory = buffer.memory().export_handle(), turns = timeline.export_handle();
        const qiao::Buffer<uint32_t> there(qiao::Memory::import_handle(other.device, memory));
        const qiao::Timeline theirs = qiao::Timeline::import_handle(other.instance, turns);
        CHECK_THROWS_AS(qiao::Timeline::import_handle(other.instance, memory), qiao::Error);
        close(memory.descriptor);
        close(turns.descriptor);
        CHECK(theirs.value() == 4);
        qiao::Queue queue(session.device), other_queue(other.device);
        queue.fill(buffer, 9u);
        queue.signal(timeline.at(5));
        other_queue.after(theirs.at(5));
        std::vector<uint32_t> result(there.size());
        wait_for(other_queue.copy(there, result));
        CHECK(result == std::vector<uint32_t>(100, 9));
        CHECK_THROWS_AS(static_cast<void>(qiao::Buffer<uint32_t>(session.device, 100).memory().export_handle()), qiao::Error);
    }
}
