// Sharing: host memory imported, memory handed from device to device and from process to process. Zero copy is proved by pointers,
// and by writes that the other side sees. Suites: "share" for devices that import host memory, "share.absent" for those that do not,
// "share.opaque" for those whose driver hands memory over.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

#include "mock/mock_faults.h"
#include "support/peer.h"
#include "support/blocks.h"
#include "support/session.h"

using namespace api;
using share::Command;
using share::Peer;

namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kBytes = 3 * kPage + 100;  // not whole pages

class Descriptor {
   public:
    explicit Descriptor(int number = -1) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() {
        if (number_ >= 0) close(number_);
    }
    int get() const { return number_; }

   private:
    int number_;
};

// Host memory as an application has it.
class Pages {
   public:
    explicit Pages(uint64_t bytes) : bytes_(bytes), start_(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
        REQUIRE(start_ != MAP_FAILED);
    }
    ~Pages() { munmap(start_, bytes_); }
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;
    char* at(uint64_t offset = 0) const { return static_cast<char*>(start_) + offset; }
    uint32_t* words() const { return static_cast<uint32_t*>(start_); }

   private:
    uint64_t bytes_;
    void* start_;
};

struct Exported {
    qiao_share_handle handle = {};
    Descriptor descriptor;
};

qiao_memory_properties query(const Memory& memory) {
    qiao_memory_properties properties = QIAO_MEMORY_PROPERTIES_INIT;
    REQUIRE_OK(qiao_memory_query(memory.get(), &properties));
    return properties;
}

uint32_t* words_of(const Memory& memory) {
    return static_cast<uint32_t*>(query(memory).host_pointer);
}

qiao_status try_allocate(qiao_device* device, uint64_t bytes, qiao_memory_kind kind, qiao_memory** out) {
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    desc.size_bytes = bytes;
    desc.kind = kind;
    desc.flags = QIAO_MEMORY_SHAREABLE;
    return qiao_memory_allocate(device, &desc, out);
}

Memory allocate_shareable(qiao_device* device, uint64_t bytes = kBytes, qiao_memory_kind kind = QIAO_MEMORY_KIND_HOST) {
    qiao_memory* memory = nullptr;
    REQUIRE_OK(try_allocate(device, bytes, kind, &memory));
    return Memory(memory);
}

Memory import_host(qiao_device* device, void* pointer, uint64_t bytes) {
    qiao_memory* memory = nullptr;
    REQUIRE_OK(qiao_memory_import_host(device, pointer, bytes, 0, &memory));
    return Memory(memory);
}

Exported export_of(const Memory& memory) {
    qiao_share_handle handle;
    int32_t descriptor = -1;
    REQUIRE_OK(qiao_memory_export(memory.get(), 0, &handle, &descriptor));
    return {handle, Descriptor(descriptor)};
}

Memory import_of(qiao_device* device, const Exported& from) {
    qiao_memory* memory = nullptr;
    REQUIRE_OK(qiao_memory_import(device, &from.handle, from.descriptor.get(), 0, &memory));
    return Memory(memory);
}

qiao_status try_import(qiao_device* device, const qiao_share_handle& handle, int descriptor) {
    qiao_memory* memory = reinterpret_cast<qiao_memory*>(1);
    const qiao_status status = qiao_memory_import(device, &handle, descriptor, 0, &memory);
    CHECK((memory == nullptr) == (status != QIAO_OK));
    if (status == QIAO_OK) REQUIRE_OK(qiao_memory_release(memory));
    return status;
}

Descriptor memory_file(uint64_t bytes, unsigned seals, const char* name = "test") {
    Descriptor file(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    REQUIRE(file.get() >= 0);
    REQUIRE(ftruncate(file.get(), static_cast<off_t>(bytes)) == 0);
    if (seals != 0) REQUIRE(fcntl(file.get(), F_ADD_SEALS, seals) == 0);
    return file;
}
constexpr unsigned kSeals = F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

size_t open_files() {
    const auto entries = std::filesystem::directory_iterator("/proc/self/fd");
    return static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

// Mappings of the library's files.
size_t mapped_files() {
    std::ifstream maps("/proc/self/maps");
    size_t count = 0;
    for (std::string line; std::getline(maps, line);) count += line.find("memfd:qiao") != std::string::npos;
    return count;
}

// A kernel of the device adds the memory to itself.
void double_by_kernel(Session& session, const Memory& memory, uint64_t offset, uint32_t count) {
    const Queue queue = session.queue();
    const Program program = session.program();
    const uint64_t address = query(memory).address + offset;
    wait_for(queue, launch(queue, kernel_of(program, "add"), items(count), blocks::Add{address, address, address}));
}

qiao_device* other_device(Session& session) {
    for (qiao_device* device : session.devices()) {
        qiao_device_properties properties = QIAO_DEVICE_PROPERTIES_INIT;
        REQUIRE_OK(qiao_device_query_properties(device, &properties));
        if (device != session.device && (properties.import_types & (1u << QIAO_SHARE_TYPE_HOST_FILE)) != 0) return device;
    }
    return nullptr;
}

}  // namespace

TEST_SUITE("share") {
    TEST_CASE("the device says what it imports and exports") {
        Session session;
        CHECK((session.properties.import_types & (1u << QIAO_SHARE_TYPE_HOST_POINTER)) != 0);
        CHECK((session.properties.import_types & (1u << QIAO_SHARE_TYPE_HOST_FILE)) != 0);
        CHECK((session.properties.export_types & (1u << QIAO_SHARE_TYPE_HOST_FILE)) != 0);
        CHECK((session.properties.import_types & (1u << QIAO_SHARE_TYPE_DMA_BUF)) == 0);
        CHECK((session.properties.export_types & (1u << QIAO_SHARE_TYPE_DMA_BUF)) == 0);
        const uint64_t alignment = session.properties.import_alignment;
        CHECK(alignment != 0);
        CHECK((alignment & (alignment - 1)) == 0);
    }

    TEST_CASE("host memory is used where it lies, by copies, fills and kernels, from any offset") {
        Session session;
        Pages pages(4 * kPage);
        for (uint32_t i = 0; i < kPage; ++i) pages.words()[i] = i;
        const Memory memory = import_host(session.device, pages.at(), 3 * kPage);
        const qiao_memory_properties properties = query(memory);
        CHECK(properties.host_pointer == pages.at());
        CHECK(properties.kind == QIAO_MEMORY_KIND_HOST);
        CHECK(properties.size_bytes == 3 * kPage);
        CHECK(properties.device == session.device);

        double_by_kernel(session, memory, 20, 100);  // what the kernel writes is in the application's memory
        for (uint32_t i = 0; i < kPage; ++i) REQUIRE(pages.words()[i] == (i >= 5 && i < 105 ? 2 * i : i));
        pages.words()[5] = 1000;  // and what the application writes the kernel reads
        double_by_kernel(session, memory, 20, 1);
        CHECK(pages.words()[5] == 2000);

        const Queue queue = session.queue();
        wait_for(queue, fill(queue, place(memory, kPage), kPage, 0xabcd1234u));
        CHECK(pages.words()[1023] == 1023);
        CHECK(pages.words()[1024] == 0xabcd1234u);
        CHECK(pages.words()[2047] == 0xabcd1234u);
        CHECK(pages.words()[2048] == 2048);
        const Memory own = session.upload(numbers(64, 7));
        wait_for(queue, copy(queue, place(own), place(memory, 8), 256));
        CHECK(pages.words()[2] == 7);
        CHECK(pages.words()[65] == 70);
        wait_for(queue, copy(queue, place(memory, 4 * 2048), place(own), 256));
        CHECK(download<uint32_t>(own, 64) == numbers(64, 2048));
        CHECK(download<uint32_t>(memory, 4, 12) == numbers(4, 8));
        const uint32_t written[] = {1, 2, 3};
        REQUIRE_OK(qiao_memory_write(memory.get(), 4, written, sizeof written));
        CHECK(pages.words()[3] == 3);
        CHECK(pages.words()[3 * 1024] == 3 * 1024);  // behind it
    }

    TEST_CASE("imported memory stays the application's, and can be imported again after its release") {
        Session session;
        Pages pages(2 * kPage);
        for (int round = 0; round < 3; ++round) {
            const Memory memory = import_host(session.device, pages.at(), 2 * kPage);
            double_by_kernel(session, memory, 0, 4);
        }
        pages.words()[0] = 5;
        CHECK(pages.words()[0] == 5);
    }

    TEST_CASE("memory that was released while work used it can be imported again at once") {
        Session session;
        Pages pages(64 * kPage);
        const Queue queue = session.queue();
        uint64_t last = 0;
        for (uint32_t round = 0; round < 20; ++round) {
            const Memory memory = import_host(session.device, pages.at(), 64 * kPage);
            last = fill(queue, place(memory), 64 * kPage, round);
        }
        wait_for(queue, last);
        CHECK(pages.words()[64 * 1024 - 1] == 19);
    }

    TEST_CASE("an import is refused for a pointer, a size or flags that are wrong") {
        Session session;
        Pages pages(4 * kPage);
        qiao_memory* memory = reinterpret_cast<qiao_memory*>(1);
        CHECK_FAILS(qiao_memory_import_host(session.device, nullptr, kPage, 0, &memory), QIAO_ERROR_INVALID_ARGUMENT, "pointer", "null");
        CHECK(memory == nullptr);
        CHECK_FAILS(qiao_memory_import_host(session.device, pages.at(), 0, 0, &memory), QIAO_ERROR_OUT_OF_RANGE, "size_bytes is 0");
        CHECK_FAILS(qiao_memory_import_host(session.device, pages.at(), kPage, 4, &memory), QIAO_ERROR_INVALID_ARGUMENT, "0x4");
        CHECK_FAILS(qiao_memory_import_host(session.device, pages.at(), kPage, 0, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_memory");
        CHECK_FAILS(qiao_memory_import_host(nullptr, pages.at(), kPage, 0, &memory), QIAO_ERROR_INVALID_HANDLE, "device");
        const std::string alignment = std::to_string(session.properties.import_alignment);
        CHECK_FAILS(qiao_memory_import_host(session.device, pages.at(8), 64, 0, &memory), QIAO_ERROR_INVALID_ARGUMENT, "is not aligned to", alignment.c_str(), "import_alignment");
        if (session.properties.max_allocation_bytes != 0)
            CHECK_FAILS(qiao_memory_import_host(session.device, pages.at(), session.properties.max_allocation_bytes + 1, 0, &memory), QIAO_ERROR_OUT_OF_RANGE,
                        std::to_string(session.properties.max_allocation_bytes).c_str());
        CHECK(memory == nullptr);
        check_works(session);
        import_host(session.device, pages.at(), kPage);  // nothing was kept
    }

    TEST_CASE("no byte is given to a device twice") {
        Session session;
        Pages pages(8 * kPage);
        const Memory memory = import_host(session.device, pages.at(2 * kPage), 2 * kPage);
        qiao_memory* other = nullptr;
        for (const auto& [first, count] : {std::pair{2, 2}, {1, 2}, {3, 1}, {3, 4}, {0, 8}})
            CHECK_FAILS(qiao_memory_import_host(session.device, pages.at(first * kPage), count * kPage, 0, &other), QIAO_ERROR_OUT_OF_RANGE, "overlap", session.properties.id);
        const Memory before = import_host(session.device, pages.at(), 2 * kPage), behind = import_host(session.device, pages.at(4 * kPage), kPage);
        for (const Memory* each : {&memory, &before, &behind}) {
            qiao_memory* found = nullptr;
            uint64_t offset = 0;
            REQUIRE_OK(qiao_memory_find(session.device, query(*each).address + 64, &found, &offset));
            CHECK(found == each->get());
            CHECK(offset == 64);
        }
    }

    TEST_CASE("many threads import and release, and one memory only ever has a page") {
        Session session;
        Pages pages(kPage);
        std::atomic<int> owners{0}, most{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                for (int round = 0; round < 100; ++round) {
                    qiao_memory* memory = nullptr;
                    if (qiao_memory_import_host(session.device, pages.at(), kPage, 0, &memory) != QIAO_OK) continue;
                    most = std::max<int>(most, ++owners);
                    --owners;
                    qiao_memory_release(memory);
                }
            });
        for (std::thread& thread : threads) thread.join();
        CHECK(most == 1);
        import_host(session.device, pages.at(), kPage);
    }

    TEST_CASE("shareable memory is the same bytes at the same pointer on all devices of an instance") {
        Session session;
        const Memory memory = allocate_shareable(session.device);
        const qiao_memory_properties properties = query(memory);
        CHECK(properties.size_bytes == kBytes);
        CHECK(properties.kind == QIAO_MEMORY_KIND_HOST);
        uint32_t* words = words_of(memory);
        REQUIRE(words != nullptr);
        CHECK(words[0] == 0);
        const Exported exported = export_of(memory);
        CHECK(exported.handle.size_bytes == kBytes);
        CHECK(exported.handle.type == QIAO_SHARE_TYPE_HOST_FILE);
        CHECK((fcntl(exported.descriptor.get(), F_GETFD) & FD_CLOEXEC) != 0);
        CHECK_FAILS(try_import(session.device, exported.handle, exported.descriptor.get()), QIAO_ERROR_OUT_OF_RANGE, "overlap");

        qiao_device* other = other_device(session);
        if (other == nullptr) return;  // alone on its machine: the next case has a second instance
        const Memory there = import_of(other, exported);
        CHECK(words_of(there) == words);
        words[5] = 21;
        double_by_kernel(session, memory, 20, 1);
        CHECK(download<uint32_t>(there, 1, 20)[0] == 42);
        const uint32_t value = 77;
        REQUIRE_OK(qiao_memory_write(there.get(), 24, &value, sizeof value));
        CHECK(words[6] == 77);
        CHECK(mapped_files() == 1);
    }

    TEST_CASE("memory lives as long as anybody has it, and a handle can be used again") {
        Session session, other;
        Exported exported;
        Memory there;
        {
            const Memory memory = allocate_shareable(session.device);
            words_of(memory)[1] = 11;
            exported = export_of(memory);
            there = import_of(other.device, exported);
            const Exported again = export_of(there);  // what was imported can be handed on
            CHECK(again.handle.size_bytes == kBytes);
            CHECK(again.descriptor.get() != exported.descriptor.get());
        }
        CHECK(words_of(there)[1] == 11);
        double_by_kernel(other, there, 4, 1);
        const Memory back = import_of(session.device, exported);
        CHECK(words_of(back)[1] == 22);
        CHECK(words_of(back) != words_of(there));  // of another instance
    }

    TEST_CASE("a handle that is damaged is refused") {
        Session session;
        const Memory memory = allocate_shareable(session.device);
        const Exported good = export_of(memory);
        Session importer;
        const int descriptor = good.descriptor.get();
        const auto with = [&](auto&& change) {
            qiao_share_handle handle = good.handle;
            change(handle);
            return try_import(importer.device, handle, descriptor);
        };
        CHECK_FAILS(with([](auto& h) { h.magic ^= 1; }), QIAO_ERROR_INVALID_ARGUMENT, "no handle of Qiao's");
        CHECK_FAILS(with([](auto& h) { h = {}; }), QIAO_ERROR_INVALID_ARGUMENT, "no handle of Qiao's");
        CHECK_FAILS(with([](auto& h) { h.version = 9; }), QIAO_ERROR_UNSUPPORTED, "version 9", "version 1");
        CHECK_FAILS(with([](auto& h) { h.type = 0; }), QIAO_ERROR_INVALID_ARGUMENT, "type 0");
        CHECK_FAILS(with([](auto& h) { h.type = QIAO_SHARE_TYPE_HOST_POINTER; }), QIAO_ERROR_INVALID_ARGUMENT, "type 1");
        CHECK_FAILS(with([](auto& h) { h.type = 99; }), QIAO_ERROR_INVALID_ARGUMENT, "type 99");
        CHECK_FAILS(with([](auto& h) { h.type = QIAO_SHARE_TYPE_DMA_BUF; }), QIAO_ERROR_UNSUPPORTED, "dma-buf", "host file");
        CHECK_FAILS(with([](auto& h) { h.type = QIAO_SHARE_TYPE_TIMELINE; }), QIAO_ERROR_INVALID_ARGUMENT, "qiao_timeline_import");
        CHECK_FAILS(with([](auto& h) { h.reserved[4] = 0x55; }), QIAO_ERROR_INVALID_ARGUMENT, "0x55", "reserved");
        CHECK_FAILS(with([](auto& h) { h.size_bytes = 0; }), QIAO_ERROR_OUT_OF_RANGE, "size_bytes is 0");
        CHECK_FAILS(with([](auto& h) { h.size_bytes = kBytes + kPage; }), QIAO_ERROR_INVALID_ARGUMENT, "16384", "20480");
        CHECK_FAILS(with([](auto& h) { h.size_bytes = 1; }), QIAO_ERROR_INVALID_ARGUMENT, "16384", "4096");
        CHECK(try_import(importer.device, {}, descriptor) == QIAO_ERROR_INVALID_ARGUMENT);
        qiao_memory* out = nullptr;
        CHECK_FAILS(qiao_memory_import(importer.device, &good.handle, descriptor, 2, &out), QIAO_ERROR_INVALID_ARGUMENT, "0x2");
        CHECK_FAILS(qiao_memory_import(importer.device, nullptr, descriptor, 0, &out), QIAO_ERROR_INVALID_ARGUMENT, "handle");
        CHECK_FAILS(qiao_memory_import(importer.device, &good.handle, descriptor, 0, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_memory");
        CHECK_FAILS(qiao_memory_import(nullptr, &good.handle, descriptor, 0, &out), QIAO_ERROR_INVALID_HANDLE, "device");
        import_of(importer.device, good);
        check_works(importer);
    }

    TEST_CASE("a descriptor that is none, or of something else, is refused") {
        Session session, importer;
        const Memory memory = allocate_shareable(session.device);
        const qiao_share_handle handle = export_of(memory).handle;
        const uint64_t whole = 4 * kPage;
        const size_t before = open_files();
        const auto with = [&](const Descriptor& descriptor) { return try_import(importer.device, handle, descriptor.get()); };
        const int closed = [] { return Descriptor(dup(2)).get(); }();
        CHECK_FAILS(try_import(importer.device, handle, -1), QIAO_ERROR_INVALID_ARGUMENT, "descriptor -1 is not open");
        CHECK_FAILS(try_import(importer.device, handle, closed), QIAO_ERROR_INVALID_ARGUMENT, "is not open");
        CHECK_FAILS(with(memory_file(whole, 0)), QIAO_ERROR_INVALID_ARGUMENT, "can be resized");
        CHECK_FAILS(with(memory_file(whole, F_SEAL_GROW | F_SEAL_SHRINK)), QIAO_ERROR_INVALID_ARGUMENT, "can be resized");
        CHECK_FAILS(with(memory_file(whole, kSeals | F_SEAL_FUTURE_WRITE)), QIAO_ERROR_INVALID_ARGUMENT, "sealed against writing");
        CHECK_FAILS(with(memory_file(whole - kPage, kSeals)), QIAO_ERROR_INVALID_ARGUMENT, "12288", "16384");
        CHECK_FAILS(with(memory_file(whole + kPage, kSeals)), QIAO_ERROR_INVALID_ARGUMENT, "20480", "16384");
        CHECK_FAILS(with(memory_file(0, kSeals)), QIAO_ERROR_INVALID_ARGUMENT, "file of 0 bytes");
        const Descriptor good = memory_file(whole, kSeals);
        const std::string path = "/proc/self/fd/" + std::to_string(good.get());
        CHECK_FAILS(with(Descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC))), QIAO_ERROR_INVALID_ARGUMENT, "read and written");
        CHECK_FAILS(with(Descriptor(open("/dev/null", O_RDWR | O_CLOEXEC))), QIAO_ERROR_INVALID_ARGUMENT, "no file in memory");
        CHECK_FAILS(with(Descriptor(open("/proc/self/exe", O_RDONLY | O_CLOEXEC))), QIAO_ERROR_INVALID_ARGUMENT, "no file in memory");
        int ends[2];
        REQUIRE(pipe(ends) == 0);
        const Descriptor read_end(ends[0]), write_end(ends[1]);
        CHECK_FAILS(with(read_end), QIAO_ERROR_INVALID_ARGUMENT, "no file in memory");
        CHECK(with(good) == QIAO_OK);  // a file of the right kind is as good as ours
        CHECK(open_files() == before + 3);
        check_works(importer);
    }

    TEST_CASE("what was not made to be shared is not exported") {
        Session session;
        const Memory plain = session.allocate(64);
        Pages pages(kPage);
        const Memory imported = import_host(session.device, pages.at(), kPage);
        qiao_share_handle handle;
        int32_t descriptor = 5;
        CHECK_FAILS(qiao_memory_export(plain.get(), 0, &handle, &descriptor), QIAO_ERROR_INVALID_ARGUMENT, "QIAO_MEMORY_SHAREABLE");
        CHECK(descriptor == -1);
        CHECK(handle.magic == 0);
        CHECK_FAILS(qiao_memory_export(imported.get(), 0, &handle, &descriptor), QIAO_ERROR_INVALID_ARGUMENT, "QIAO_MEMORY_SHAREABLE");
        const Memory memory = allocate_shareable(session.device);
        for (const qiao_share_type type : {QIAO_SHARE_TYPE_HOST_POINTER, QIAO_SHARE_TYPE_DMA_BUF, QIAO_SHARE_TYPE_TIMELINE, 40u})
            CHECK_FAILS(qiao_memory_export(memory.get(), type, &handle, &descriptor), QIAO_ERROR_UNSUPPORTED, std::to_string(type).c_str(), "host file");
        CHECK_FAILS(qiao_memory_export(memory.get(), 0, nullptr, &descriptor), QIAO_ERROR_INVALID_ARGUMENT, "out_handle");
        CHECK_FAILS(qiao_memory_export(memory.get(), 0, &handle, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_descriptor");
        CHECK_FAILS(qiao_memory_export(nullptr, 0, &handle, &descriptor), QIAO_ERROR_INVALID_HANDLE, "memory");
        qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
        desc.size_bytes = 64;
        desc.flags = UINT64_C(1) << 2;
        qiao_memory* out = nullptr;
        CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &out), QIAO_ERROR_INVALID_ARGUMENT, "0x4");
        CHECK_FAILS(try_allocate(session.device, 64, QIAO_MEMORY_KIND_SHARED, &out), QIAO_ERROR_UNSUPPORTED, "shared memory", "kind HOST");
    }

    TEST_CASE("out of descriptors: each step says so, and leaves nothing behind") {
        Session session, importer;
        const Memory memory = allocate_shareable(session.device);
        const Exported exported = export_of(memory);
        { const Memory warm = import_of(importer.device, exported); }  // the device is open
        const size_t files = open_files(), maps = mapped_files();
        qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
        desc.size_bytes = kPage;
        desc.kind = QIAO_MEMORY_KIND_HOST;
        desc.flags = QIAO_MEMORY_SHAREABLE;
        {
            std::vector<Descriptor> all;
            rlimit usual;
            REQUIRE(getrlimit(RLIMIT_NOFILE, &usual) == 0);
            rlimit few = usual;
            few.rlim_cur = files + 8;
            REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
            for (int next; (next = dup(2)) >= 0;) all.emplace_back(next);
            qiao_memory* made = nullptr;
            qiao_timeline* timeline = nullptr;
            qiao_share_handle handle;
            int32_t descriptor = -1;
            CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &made), QIAO_ERROR_OUT_OF_MEMORY, "ulimit -n");
            CHECK_FAILS(qiao_memory_export(memory.get(), 0, &handle, &descriptor), QIAO_ERROR_OUT_OF_MEMORY, "ulimit -n");
            CHECK_FAILS(qiao_memory_import(importer.device, &exported.handle, exported.descriptor.get(), 0, &made), QIAO_ERROR_OUT_OF_MEMORY, "ulimit -n");
            CHECK_FAILS(qiao_timeline_create_shareable(session.instance.get(), 0, &timeline), QIAO_ERROR_OUT_OF_MEMORY, "ulimit -n");
            CHECK(made == nullptr);
            CHECK(timeline == nullptr);
            all.pop_back();  // one is left: the timeline's own file, but not the second way to it
            CHECK_FAILS(qiao_timeline_create_shareable(session.instance.get(), 0, &timeline), QIAO_ERROR_OUT_OF_MEMORY, "ulimit -n");
            REQUIRE(setrlimit(RLIMIT_NOFILE, &usual) == 0);
        }
        CHECK(open_files() == files);
        CHECK(mapped_files() == maps);
        const Memory there = import_of(importer.device, exported);
        CHECK(words_of(there) != nullptr);
    }

    TEST_CASE("a limit on the size of files: the allocation says so, and leaves nothing behind") {
        Session session;
        { const Memory warm = allocate_shareable(session.device); }
        const size_t files = open_files(), maps = mapped_files();
        rlimit usual;
        REQUIRE(getrlimit(RLIMIT_FSIZE, &usual) == 0);
        rlimit little = usual;
        little.rlim_cur = 1 << 20;
        REQUIRE(setrlimit(RLIMIT_FSIZE, &little) == 0);
        qiao_memory* memory = nullptr;
        CHECK_FAILS(try_allocate(session.device, 2 << 20, QIAO_MEMORY_KIND_HOST, &memory), QIAO_ERROR_OUT_OF_MEMORY, "ulimit -f");
        REQUIRE(setrlimit(RLIMIT_FSIZE, &usual) == 0);
        CHECK(memory == nullptr);
        CHECK(open_files() == files);
        CHECK(mapped_files() == maps);
    }

    TEST_CASE("releasing gives back file and mapping, also behind work") {
        Session session;
        { const Memory warm = allocate_shareable(session.device); }
        const size_t files = open_files(), maps = mapped_files();
        const Queue queue = session.queue();
        for (int round = 0; round < 20; ++round) {
            const Memory memory = allocate_shareable(session.device, 64 * kPage);
            fill(queue, place(memory), 64 * kPage, 1);
        }
        REQUIRE_OK(qiao_device_synchronize(session.device, kPatience));
        session.allocate(64);  // a moment at which what is over is freed
        CHECK(open_files() == files);
        CHECK(mapped_files() == maps);
    }
}

TEST_SUITE("share.reset") {
    TEST_CASE("after a reset shared memory is lost for the device, and usable for the host and again") {
        Session session;
        Pages pages(kPage);
        Memory memory = allocate_shareable(session.device);
        Memory imported = import_host(session.device, pages.at(), kPage);
        uint32_t* words = words_of(memory);
        words[0] = 3;
        const Exported exported = export_of(memory);
        REQUIRE_OK(qiao_device_reset(session.device));
        qiao_share_handle handle;
        int32_t descriptor = -1;
        CHECK_FAILS(qiao_memory_export(memory.get(), 0, &handle, &descriptor), QIAO_ERROR_DEVICE_LOST, "lost or reset");
        const Memory again = import_host(session.device, pages.at(), kPage);
        imported.reset();  // the old one's release leaves the new one alone
        double_by_kernel(session, again, 0, 1);
        const Memory back = import_of(session.device, exported);
        CHECK(words_of(back) == words);
        CHECK(words[0] == 3);
        memory.reset();
        double_by_kernel(session, back, 0, 1);
        CHECK(words[0] == 6);
    }
}

// A card with 2 MiB of host memory, and 1 MiB at once.
TEST_SUITE("share.small") {
    TEST_CASE("imported memory counts as the card's host memory, and is refused beyond it") {
        Session session;
        constexpr uint64_t kMebi = 1 << 20;
        Pages pages(4 * kMebi);
        qiao_memory* refused = nullptr;
        const Memory first = import_host(session.device, pages.at(), kMebi);
        {
            const Memory second = allocate_shareable(session.device, kMebi);
            CHECK_FAILS(qiao_memory_import_host(session.device, pages.at(kMebi), kPage, 0, &refused), QIAO_ERROR_OUT_OF_MEMORY, "4096 bytes are needed", "0 bytes of 2097152");
            CHECK_FAILS(try_allocate(session.device, kPage, QIAO_MEMORY_KIND_HOST, &refused), QIAO_ERROR_OUT_OF_MEMORY, "4096 bytes are needed");
            qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
            desc.size_bytes = kPage;
            desc.kind = QIAO_MEMORY_KIND_HOST;
            CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &refused), QIAO_ERROR_OUT_OF_MEMORY, "4096 bytes are needed");
        }
        CHECK_FAILS(qiao_memory_import_host(session.device, pages.at(kMebi), kMebi + 1, 0, &refused), QIAO_ERROR_OUT_OF_RANGE, "1048576");
        CHECK_FAILS(try_allocate(session.device, kMebi + 1, QIAO_MEMORY_KIND_HOST, &refused), QIAO_ERROR_OUT_OF_RANGE, "1048576");
        import_host(session.device, pages.at(kMebi), kMebi);
    }

    TEST_CASE("a copy that leaves imported memory is refused, as is an address that was released") {
        Session session;
        Pages pages(2 * kPage);
        uint64_t address = 0;
        const Queue queue = session.queue();
        {
            const Memory memory = import_host(session.device, pages.at(), kPage);
            address = query(memory).address;
            const uint32_t pattern = 0;
            CHECK_FAILS(qiao_queue_fill(queue.get(), {session.device, address + 64}, kPage, &pattern, 4, nullptr), QIAO_ERROR_OUT_OF_RANGE);
        }
        const uint32_t pattern = 1;
        CHECK(qiao_queue_fill(queue.get(), {session.device, address}, 64, &pattern, 4, nullptr) < 0);
        CHECK(pages.words()[0] == 0);
    }
}

TEST_SUITE("share.faults") {
    TEST_CASE("an import that fails in the plugin leaves nothing behind") {
        Session session;
        const void* table = nullptr;
        void* card = nullptr;
        REQUIRE_OK(qiao_device_get_extension(session.device, QIAO_MOCK_FAULTS_NAME, &table, &card));
        const auto* faults = static_cast<const qiao_mock_faults*>(table);
        Pages pages(kPage);
        const Exported exported = [&] {
            const Memory memory = allocate_shareable(session.device);
            words_of(memory)[0] = 4;
            return export_of(memory);
        }();
        const size_t files = open_files(), maps = mapped_files();
        for (const char* rule : {"memory_import=error:out_of_memory", "memory_import=corrupt"}) {
            CAPTURE(std::string(rule));
            const qiao_status expected = std::string(rule).find("corrupt") != std::string::npos ? QIAO_ERROR_PLUGIN : QIAO_ERROR_OUT_OF_MEMORY;
            REQUIRE_OK(faults->add(card, rule, nullptr, 0));
            qiao_memory* memory = nullptr;
            CHECK_FAILS(qiao_memory_import_host(session.device, pages.at(), kPage, 0, &memory), expected);
            CHECK_FAILS(try_allocate(session.device, kBytes, QIAO_MEMORY_KIND_HOST, &memory), expected);
            CHECK(try_import(session.device, exported.handle, exported.descriptor.get()) == expected);
            REQUIRE_OK(faults->clear(card));
            CHECK(open_files() == files);
            CHECK(mapped_files() == maps);
            import_host(session.device, pages.at(), kPage);
            CHECK(words_of(import_of(session.device, exported))[0] == 4);
        }
        check_works(session);
    }

    TEST_CASE("memory of a card that was lost stays the host's, and the memory of the peers") {
        Session session;
        const void* table = nullptr;
        void* card = nullptr;
        REQUIRE_OK(qiao_device_get_extension(session.device, QIAO_MOCK_FAULTS_NAME, &table, &card));
        Peer peer;
        const Memory memory = allocate_shareable(session.device);
        const Exported exported = export_of(memory);
        REQUIRE(peer.ask(Command::kImportMemory, 0, 0, exported.handle, exported.descriptor.get()).status == QIAO_OK);
        REQUIRE_OK(static_cast<const qiao_mock_faults*>(table)->add(card, "memory_read=lost", nullptr, 0));
        uint32_t word = 0;
        CHECK(qiao_memory_read(memory.get(), 0, &word, sizeof word) == QIAO_ERROR_DEVICE_LOST);
        Session other;
        const Memory there = import_of(other.device, exported);
        CHECK(peer.ask(Command::kFillMemory, 8).status == QIAO_OK);
        CHECK(words_of(there)[0] == 8);
        CHECK_FAILS(try_import(session.device, exported.handle, exported.descriptor.get()), QIAO_ERROR_DEVICE_LOST, session.properties.id);
    }
}

TEST_SUITE("share.processes") {
    TEST_CASE("two processes have the same bytes: each sees what the other's device writes") {
        Session session;
        Peer peer;
        const Memory memory = allocate_shareable(session.device);
        uint32_t* words = words_of(memory);
        words[0] = 0x1234;
        const Exported exported = export_of(memory);
        REQUIRE(peer.ask(Command::kImportMemory, 0, 0, exported.handle, exported.descriptor.get()).status == QIAO_OK);
        CHECK(peer.ask(Command::kReadMemory).a == 0x1234);
        CHECK(peer.ask(Command::kReadPointer).a == 0x1234);
        REQUIRE(peer.ask(Command::kFillMemory, 0xfeed).status == QIAO_OK);
        CHECK(words[0] == 0xfeed);
        CHECK(words[kBytes / 4 - 1] == 0xfeed);
        double_by_kernel(session, memory, 0, 1);
        CHECK(peer.ask(Command::kReadMemory).a == 2 * 0xfeed);
        CHECK(peer.ask(Command::kReleaseAll).status == QIAO_OK);
        CHECK(peer.wait() == 0);
        CHECK(words[1] == 0xfeed);
    }

    TEST_CASE("memory of a process that was killed stays usable, whoever made it") {
        Session session;
        Peer maker, taker;
        const share::Message made = maker.ask(Command::kMakeMemory, kBytes, QIAO_MEMORY_KIND_HOST);
        REQUIRE(made.status == QIAO_OK);
        const Exported exported{made.handle, Descriptor(maker.take_descriptor())};
        const Memory memory = import_of(session.device, exported);
        REQUIRE(taker.ask(Command::kImportMemory, 0, 0, exported.handle, exported.descriptor.get()).status == QIAO_OK);
        REQUIRE(maker.ask(Command::kFillMemory, 5).status == QIAO_OK);
        taker.tell(Command::kFillMemory, 5);
        taker.kill();
        maker.kill();
        uint32_t* words = words_of(memory);
        CHECK(words[7] == 5);
        double_by_kernel(session, memory, 28, 1);
        CHECK(words[7] == 10);
        Peer late;
        REQUIRE(late.ask(Command::kImportMemory, 0, 0, exported.handle, exported.descriptor.get()).status == QIAO_OK);
        CHECK(late.ask(Command::kFillMemory, 6).status == QIAO_OK);
        CHECK(words[7] == 6);
    }

    TEST_CASE("a queue waits for another process's queue, and the bytes are there") {
        Session session;
        Peer peer;
        qiao_timeline* made = nullptr;
        REQUIRE_OK(qiao_timeline_create_shareable(session.instance.get(), 0, &made));
        const Timeline timeline(made);
        qiao_share_handle handle;
        int32_t number = -1;
        REQUIRE_OK(qiao_timeline_export(timeline.get(), &handle, &number));
        const Descriptor descriptor(number);
        const Memory memory = allocate_shareable(session.device);
        const Exported exported = export_of(memory);
        REQUIRE(peer.ask(Command::kImportTimeline, 0, 0, handle, descriptor.get()).status == QIAO_OK);
        REQUIRE(peer.ask(Command::kImportMemory, 0, 0, exported.handle, exported.descriptor.get()).status == QIAO_OK);
        const Queue queue = session.queue();
        for (uint64_t round = 0; round < 5; ++round) {
            const uint64_t value = 4 * round + 1;
            REQUIRE(peer.ask(Command::kAnswerByQueue, value, 100 + round).status == QIAO_OK);
            fill(queue, place(memory), 64, 1);
            REQUIRE_OK(qiao_queue_signal(queue.get(), timeline.get(), value, nullptr));
            after(queue, timeline.get(), value + 1);
            const Memory result = session.allocate(64);
            wait_for(queue, copy(queue, place(memory), place(result), 64));
            CHECK(download<uint32_t>(result, 16) == std::vector<uint32_t>(16, static_cast<uint32_t>(100 + round)));
            CHECK(value_of(timeline.get()) == value + 1);
        }
    }
}

TEST_SUITE("share.absent") {
    TEST_CASE("a device without imports says so, and what would help") {
        Session session;
        Pages pages(kPage);
        CHECK(session.properties.import_types == 0);
        CHECK(session.properties.export_types == 0);
        CHECK(session.properties.import_alignment == 0);
        qiao_memory* memory = nullptr;
        CHECK_FAILS(qiao_memory_import_host(session.device, pages.at(), kPage, 0, &memory), QIAO_ERROR_UNSUPPORTED, session.properties.id, "imports: none", "qiao info");
        CHECK_FAILS(try_allocate(session.device, kPage, QIAO_MEMORY_KIND_HOST, &memory), QIAO_ERROR_UNSUPPORTED, session.properties.id, "host memory", "exports: none");
        CHECK_FAILS(try_allocate(session.device, kPage, QIAO_MEMORY_KIND_DEVICE, &memory), QIAO_ERROR_UNSUPPORTED, session.properties.id, "device memory", "exports: none");
        check_works(session);
    }
}

TEST_SUITE("share.no_opaque") {
    TEST_CASE("device memory is not handed over by a driver that cannot") {
        Session session;
        CHECK((session.properties.export_types & (1u << QIAO_SHARE_TYPE_OPAQUE_FD)) == 0);
        qiao_memory* memory = nullptr;
        CHECK_FAILS(try_allocate(session.device, kPage, QIAO_MEMORY_KIND_DEVICE, &memory), QIAO_ERROR_UNSUPPORTED, session.properties.id, "exports: host file", "kind HOST");
        check_works(session);
    }
}

TEST_SUITE("share.opaque") {
    TEST_CASE("device memory goes to another process that uses the same driver, both ways") {
        Session session;
        CHECK((session.properties.export_types & (1u << QIAO_SHARE_TYPE_OPAQUE_FD)) != 0);
        Peer peer;
        const Memory memory = allocate_shareable(session.device, kBytes, QIAO_MEMORY_KIND_DEVICE);
        CHECK(query(memory).kind == QIAO_MEMORY_KIND_DEVICE);
        const uint32_t value = 0xcafe;
        REQUIRE_OK(qiao_memory_write(memory.get(), 0, &value, sizeof value));
        const Exported exported = export_of(memory);
        CHECK(exported.handle.type == QIAO_SHARE_TYPE_OPAQUE_FD);
        CHECK(std::equal(std::begin(exported.handle.device_uuid), std::end(exported.handle.device_uuid), session.properties.uuid));
        CHECK(std::equal(std::begin(exported.handle.driver_uuid), std::end(exported.handle.driver_uuid), session.properties.driver_uuid));
        CHECK((fcntl(exported.descriptor.get(), F_GETFD) & FD_CLOEXEC) != 0);
        REQUIRE(peer.ask(Command::kImportMemory, 0, 0, exported.handle, exported.descriptor.get()).status == QIAO_OK);
        CHECK(peer.ask(Command::kReadMemory).a == 0xcafe);
        REQUIRE(peer.ask(Command::kFillMemory, 0x55aa).status == QIAO_OK);
        CHECK(download<uint32_t>(memory, 2)[1] == 0x55aa);

        Peer maker;
        const share::Message made = maker.ask(Command::kMakeMemory, kBytes, QIAO_MEMORY_KIND_DEVICE);
        REQUIRE(made.status == QIAO_OK);
        const Exported theirs{made.handle, Descriptor(maker.take_descriptor())};
        const Memory here = import_of(session.device, theirs);
        REQUIRE(maker.ask(Command::kFillMemory, 9).status == QIAO_OK);
        CHECK(download<uint32_t>(here, 2)[1] == 9);
        maker.kill();
        double_by_kernel(session, here, 4, 1);
        CHECK(download<uint32_t>(here, 2)[1] == 18);
        qiao_share_handle handle;
        int32_t descriptor = -1;
        CHECK_FAILS(qiao_memory_export(here.get(), 0, &handle, &descriptor), QIAO_ERROR_INVALID_ARGUMENT, "QIAO_MEMORY_SHAREABLE");
    }

    TEST_CASE("a descriptor of another device or driver is refused, with both") {
        Session session;
        const Memory memory = allocate_shareable(session.device, kPage, QIAO_MEMORY_KIND_DEVICE);
        const Exported exported = export_of(memory);
        qiao_share_handle handle = exported.handle;
        handle.driver_uuid[15] = static_cast<uint8_t>(~handle.driver_uuid[15]);
        char theirs[3];
        std::snprintf(theirs, sizeof theirs, "%02x", handle.driver_uuid[15]);
        CHECK_FAILS(try_import(session.device, handle, exported.descriptor.get()), QIAO_ERROR_UNSUPPORTED, theirs, "driver", session.properties.id, "kind HOST");
        handle = exported.handle;
        handle.device_uuid[0] ^= 1;
        CHECK_FAILS(try_import(session.device, handle, exported.descriptor.get()), QIAO_ERROR_UNSUPPORTED, "device", session.properties.id);
        handle = exported.handle;
        handle.type = QIAO_SHARE_TYPE_HOST_FILE;
        CHECK_FAILS(try_import(session.device, handle, exported.descriptor.get()), QIAO_ERROR_INVALID_ARGUMENT, "descriptor");
    }

    TEST_CASE("a handle or descriptor that is not the driver's is refused, and leaves nothing behind") {
        Session session;
        const Memory memory = allocate_shareable(session.device, kPage, QIAO_MEMORY_KIND_DEVICE);
        const Exported exported = export_of(memory);
        const qiao_share_handle& handle = exported.handle;
        CHECK(try_import(session.device, handle, exported.descriptor.get()) == QIAO_OK);
        const size_t files = open_files();
        int ends[2];
        REQUIRE(pipe(ends) == 0);
        {
            const Descriptor read_end(ends[0]), write_end(ends[1]), null(open("/dev/null", O_RDWR | O_CLOEXEC)), other = memory_file(16 * kPage, kSeals),
                             empty = memory_file(0, 0);
            for (const Descriptor* wrong : {&read_end, &null, &other, &empty}) {
                CHECK(try_import(session.device, handle, wrong->get()) < 0);
                CHECK(fcntl(wrong->get(), F_GETFD) >= 0);  // still the caller's
            }
            CHECK_FAILS(try_import(session.device, handle, -1), QIAO_ERROR_INVALID_ARGUMENT, "not open");
        }
        qiao_share_handle wrong = handle;
        wrong.driver_data[1] = 77;
        CHECK_FAILS(try_import(session.device, wrong, exported.descriptor.get()), QIAO_ERROR_INVALID_ARGUMENT, "77");
        wrong = handle;
        wrong.driver_data[0] = 16;
        CHECK_FAILS(try_import(session.device, wrong, exported.descriptor.get()), QIAO_ERROR_INVALID_ARGUMENT, "16");
        wrong = handle;
        wrong.driver_data[2] = UINT64_MAX;
        CHECK_FAILS(try_import(session.device, wrong, exported.descriptor.get()), QIAO_ERROR_INVALID_ARGUMENT);
        wrong = handle;
        wrong.size_bytes = wrong.driver_data[0] = 1 << 20;  // more than the descriptor has
        CHECK(try_import(session.device, wrong, exported.descriptor.get()) < 0);
        CHECK(open_files() == files);
        check_works(session);
    }
}
