// Levels of memory, M0 to M4: what a device claims of a kind it does, each level shown by work that fails one level lower. Where a
// level is not claimed and there is a refusal, that is looked at instead. Every spin has a bound, so nothing here can hang.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "support/session.h"

using namespace api;

namespace {

constexpr const char* kPlain = R"(
kernel void twice(global const uint* in, global uint* out) { out[get_global_id(0)] = 2 * in[get_global_id(0)] + 1; }
)";

// The link is a number in the data: clspv takes no struct that points to its own kind.
constexpr const char* kWithPointers = R"(
struct node { ulong next; uint value; uint padding; };
kernel void walk(global struct node* first, global uint* out) {
    uint sum = 0, count = 0;
    ulong next = 0;
    for (global struct node* at = first; ; at = (global struct node*)next) {
        sum += at->value;
        at->value = 1000 + count++;
        next = at->next;
        if (next == 0) break;
    }
    out[0] = sum;
}
)";

// The ball is word 0: odd values are the host's, even ones the kernel's. Words 16 and 32 travel with it, word 48 counts.
constexpr const char* kCoherent = R"(
kernel void play(volatile global uint* words, uint rounds, uint bound) {
    for (uint round = 0; round < rounds; ++round) {
        uint left = bound;
        while (atomic_add(words, 0u) != 2 * round + 1) {
            if (--left == 0) return;
        }
        mem_fence(CLK_GLOBAL_MEM_FENCE);
        words[32] = 3 * words[16];
        mem_fence(CLK_GLOBAL_MEM_FENCE);
        atomic_xchg(words, 2 * round + 2);
        for (uint i = 0; i < 50; ++i) atomic_inc(&words[48]);
    }
}
)";

struct Twice { uint64_t in, out; };
struct Walk { uint64_t first, out; };
struct Play { uint64_t words; uint32_t rounds, bound; };
struct Node { uint64_t next; uint32_t value, padding; };

constexpr qiao_memory_kind kKinds[] = {QIAO_MEMORY_KIND_DEVICE, QIAO_MEMORY_KIND_HOST, QIAO_MEMORY_KIND_SHARED};
constexpr const char* kKindNames[] = {"no", "device", "host", "shared"};

qiao_status try_compile(Session& session, const char* source, Program& out) {
    qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
    desc.name = "levels.cl";
    desc.data = source;
    desc.size_bytes = std::strlen(source);
    qiao_program* program = nullptr;
    const qiao_status status = qiao_program_create_from_source(session.device, &desc, &program);
    out.reset(program);
    return status;
}

Program compile(Session& session, const char* source) {
    Program program;
    REQUIRE_OK(try_compile(session, source, program));
    return program;
}

qiao_memory_kind_properties about(const Session& session, qiao_memory_kind kind) {
    qiao_memory_kind_properties properties = QIAO_MEMORY_KIND_PROPERTIES_INIT;
    REQUIRE_OK(qiao_device_query_memory_kind(session.device, kind, &properties));
    CHECK(properties.kind == kind);
    return properties;
}

// Those of the device whose level is at least this one; says which ones it has below.
std::vector<qiao_memory_kind> kinds_with(const Session& session, qiao_memory_level level) {
    std::vector<qiao_memory_kind> kinds;
    for (const qiao_memory_kind kind : kKinds) {
        if (!session.has_kind(kind)) continue;
        if (about(session, kind).level >= level) {
            kinds.push_back(kind);
        } else {
            MESSAGE("M", level, " is not claimed for ", std::string(kKindNames[kind]), " memory of ", std::string(session.properties.id));
        }
    }
    return kinds;
}

void* host_pointer_of(const Memory& memory) {
    qiao_memory_properties properties = QIAO_MEMORY_PROPERTIES_INIT;
    REQUIRE_OK(qiao_memory_query(memory.get(), &properties));
    return properties.host_pointer;
}

// Of the launch, or of the wait for it where the launch was accepted.
template <class Block>
qiao_status run(const Queue& queue, qiao_kernel* kernel, const Block& block) {
    const qiao_launch shape = items(1);
    uint64_t value = 0;
    const qiao_status status = qiao_queue_launch(queue.get(), kernel, &shape, &block, sizeof block, &value);
    return status == QIAO_OK ? qiao_timeline_wait(timeline_of(queue), value, kPatience) : status;
}

uint32_t spin_until(const std::atomic<uint32_t>& word, uint32_t wanted) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(kPatience);
    uint32_t seen = 0;
    for (uint32_t round = 0; (seen = word.load(std::memory_order_acquire)) != wanted; ++round) {
        if (round % 64 != 63) continue;
        std::this_thread::yield();
        if (std::chrono::steady_clock::now() > until) break;
    }
    return seen;
}

// Host and kernel in turn, then both at one counter. `words` has 64 words.
void check_coherence(Session& session, const Program& program, uint32_t* words, uint64_t address) {
    constexpr uint32_t kRounds = 100, kIncrements = 5000;
    std::memset(words, 0, 64 * sizeof(uint32_t));
    const auto word = [words](size_t index) -> std::atomic<uint32_t>& { return reinterpret_cast<std::atomic<uint32_t>&>(words[index]); };
    uint32_t answered = 0, wrong = 0;
    std::thread host([&] {  // beside the launch: a card may run it in the submitter
        for (uint32_t round = 0; round < kRounds; ++round) {
            words[16] = 11 * round + 5;
            word(0).store(2 * round + 1, std::memory_order_release);
            if (spin_until(word(0), 2 * round + 2) != 2 * round + 2) return;
            if (words[32] != 3 * (11 * round + 5)) ++wrong;
            ++answered;
            for (uint32_t i = 0; i < kIncrements / kRounds; ++i) word(48).fetch_add(1, std::memory_order_relaxed);
        }
    });
    const Queue queue = session.queue();
    const uint64_t value = launch(queue, kernel_of(program, "play"), items(1), Play{address, kRounds, 1u << 30});
    qiao_timeline_reached(timeline_of(queue), value);  // to the card, also where launches are kept together
    host.join();
    wait_for(queue, value);
    CHECK(answered == kRounds);
    CHECK(wrong == 0);
    CHECK(word(48).load() == 2 * kIncrements);
}

uint32_t g_global = 0;

}  // namespace

TEST_SUITE("levels.query") {
    TEST_CASE("each kind that the device has, and no other") {
        const Session session;
        for (const qiao_memory_kind kind : kKinds) {
            qiao_memory_kind_properties properties = QIAO_MEMORY_KIND_PROPERTIES_INIT;
            if (!session.has_kind(kind)) {
                CHECK_FAILS(qiao_device_query_memory_kind(session.device, kind, &properties), QIAO_ERROR_UNSUPPORTED, kKindNames[kind], session.properties.id);
                CHECK(properties.provenance == QIAO_PROVENANCE_ABSENT);
                continue;
            }
            properties = about(session, kind);
            CHECK(properties.level >= QIAO_MEMORY_LEVEL_ARGUMENT);
            CHECK(properties.level <= QIAO_MEMORY_LEVEL_SYSTEM);
            CHECK(properties.provenance == (session.is_emulated(kind) ? QIAO_PROVENANCE_EMULATED : QIAO_PROVENANCE_NATIVE));
            if (session.is_emulated(kind)) CHECK(properties.level == QIAO_MEMORY_LEVEL_ARGUMENT);
            if ((session.properties.features & QIAO_FEATURE_ADDRESSES) == 0) CHECK(properties.level <= QIAO_MEMORY_LEVEL_ARGUMENT);
        }
    }

    // QIAO_TEST_LEVELS is what hal/docs/memory.md says of the device.
    TEST_CASE("the levels are those of the table of devices") {
        const char* expected = std::getenv("QIAO_TEST_LEVELS");
        REQUIRE_MESSAGE(expected != nullptr, "QIAO_TEST_LEVELS must name the levels, as 'device=2 shared=1'");
        const Session session;
        std::string levels;
        for (const qiao_memory_kind kind : kKinds) {
            if (!session.has_kind(kind)) continue;
            levels += std::string(levels.empty() ? "" : " ") + kKindNames[kind] + "=" + std::to_string(about(session, kind).level);
        }
        CHECK(levels == std::string(expected));
    }

    TEST_CASE("a kind that there is not, and structs of other sizes") {
        const Session session;
        qiao_memory_kind_properties properties = QIAO_MEMORY_KIND_PROPERTIES_INIT;
        CHECK_FAILS(qiao_device_query_memory_kind(session.device, 4, &properties), QIAO_ERROR_INVALID_ARGUMENT, "memory kind 4");
        CHECK_FAILS(qiao_device_query_memory_kind(session.device, QIAO_MEMORY_KIND_DEVICE, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_properties");
        CHECK_FAILS(qiao_device_query_memory_kind(nullptr, QIAO_MEMORY_KIND_DEVICE, &properties), QIAO_ERROR_INVALID_HANDLE);
        CHECK(properties.kind == 0);
        properties.struct_size = offsetof(qiao_memory_kind_properties, provenance);
        properties.provenance = 77;
        REQUIRE_OK(qiao_device_query_memory_kind(session.device, QIAO_MEMORY_KIND_DEVICE, &properties));
        CHECK(properties.kind == QIAO_MEMORY_KIND_DEVICE);
        CHECK(properties.provenance == 77);
        properties.struct_size = 3;
        CHECK_FAILS(qiao_device_query_memory_kind(session.device, QIAO_MEMORY_KIND_DEVICE, &properties), QIAO_ERROR_INVALID_ARGUMENT, "struct_size");
    }

    TEST_CASE("where host pointer and address are one, they are with every allocation") {
        Session session;
        for (const qiao_memory_kind kind : kKinds) {
            if (!session.has_kind(kind)) continue;
            const qiao_memory_level level = about(session, kind).level;
            if (level < QIAO_MEMORY_LEVEL_POINTER || (level == QIAO_MEMORY_LEVEL_POINTER && kind == QIAO_MEMORY_KIND_DEVICE)) continue;
            for (const uint64_t size_bytes : {1u, 100u, 5000u, 3u << 20}) {
                const Memory memory = session.allocate(size_bytes, kind);
                CHECK(reinterpret_cast<uint64_t>(host_pointer_of(memory)) == address_of(memory));
            }
        }
    }
}

// M1. Copies alone would not do: a kernel uses the addresses.
TEST_SUITE("levels.argument") {
    TEST_CASE("addresses at odd elements are arguments of kernels") {
        Session session;
        const Program program = compile(session, kPlain);
        const Queue queue = session.queue();
        for (const qiao_memory_kind kind : kinds_with(session, QIAO_MEMORY_LEVEL_ARGUMENT)) {
            constexpr uint32_t kCount = 33, kIn = 1, kOut = 77;
            const Memory memory = session.allocate(120 * sizeof(uint32_t), kind);
            std::vector<uint32_t> words(120, 9);
            for (uint32_t i = 0; i < kCount; ++i) words[kIn + i] = 5 * i;
            REQUIRE_OK(qiao_memory_write(memory.get(), 0, words.data(), words.size() * sizeof(uint32_t)));
            const uint64_t address = address_of(memory);
            wait_for(queue, launch(queue, kernel_of(program, "twice"), items(kCount), Twice{address + 4 * kIn, address + 4 * kOut}));
            for (uint32_t i = 0; i < kCount; ++i) words[kOut + i] = 10 * i + 1;
            INFO(std::string(kKindNames[kind]));
            CHECK(download<uint32_t>(memory, 120) == words);
        }
    }
}

// M2. At M1 the kernel would get wrong addresses out of the nodes.
TEST_SUITE("levels.pointer") {
    TEST_CASE("a list over two allocations, of the device's addresses") {
        Session session;
        if (about(session, QIAO_MEMORY_KIND_DEVICE).level < QIAO_MEMORY_LEVEL_POINTER) {
            Program refused;
            CHECK_FAILS(try_compile(session, kWithPointers, refused), QIAO_ERROR_UNSUPPORTED, "addresses inside data");
            return;
        }
        const Program program = compile(session, kWithPointers);
        const Queue queue = session.queue();
        const Memory one = session.allocate(4096), two = session.allocate(4096), out = session.allocate(16);
        const Node first[3] = {{address_of(two) + sizeof(Node), 7, 0}, {}, {0, 300, 0}};
        const Node second[2] = {{}, {address_of(one) + 2 * sizeof(Node), 20, 0}};
        REQUIRE_OK(qiao_memory_write(one.get(), 0, first, sizeof first));
        REQUIRE_OK(qiao_memory_write(two.get(), 0, second, sizeof second));
        wait_for(queue, launch(queue, kernel_of(program, "walk"), items(1), Walk{address_of(one), address_of(out)}));
        CHECK(download<uint32_t>(out, 1)[0] == 327);
        CHECK(download<Node>(two, 2)[1].value == 1001);
        CHECK(download<Node>(one, 3)[2].value == 1002);
    }

    TEST_CASE("a list over two allocations, built by the host with its own pointers, means the same to both") {
        Session session;
        for (const qiao_memory_kind kind : kinds_with(session, QIAO_MEMORY_LEVEL_POINTER)) {
            if (kind == QIAO_MEMORY_KIND_DEVICE && about(session, kind).level < QIAO_MEMORY_LEVEL_COHERENT) continue;
            INFO(std::string(kKindNames[kind]));
            const Program program = compile(session, kWithPointers);
            const Queue queue = session.queue();
            const Memory one = session.allocate(4096, kind), two = session.allocate(4096, kind), out = session.allocate(16, kind);
            auto* first = static_cast<Node*>(host_pointer_of(one));
            auto* second = static_cast<Node*>(host_pointer_of(two));
            auto* sum = static_cast<uint32_t*>(host_pointer_of(out));
            const auto number = [](const void* pointer) { return reinterpret_cast<uint64_t>(pointer); };
            first[0] = {number(&second[1]), 7, 0};
            second[1] = {number(&first[2]), 20, 0};
            first[2] = {0, 300, 0};
            wait_for(queue, launch(queue, kernel_of(program, "walk"), items(1), Walk{number(first), number(sum)}));
            CHECK(*sum == 327);
            uint32_t count = 0;
            for (const Node* at = first; at != nullptr; at = reinterpret_cast<const Node*>(at->next)) CHECK(at->value == 1000 + count++);
            CHECK(count == 3);
        }
    }

    TEST_CASE("memory that the library moves has two addresses") {
        Session session;
        if (!session.is_emulated(QIAO_MEMORY_KIND_SHARED)) return;
        const Memory memory = session.allocate(4096, QIAO_MEMORY_KIND_SHARED);
        CHECK(reinterpret_cast<uint64_t>(host_pointer_of(memory)) != address_of(memory));
    }
}

// M3. At M2 both may use the bytes in turn only.
TEST_SUITE("levels.coherent") {
    TEST_CASE("host and a running kernel pass a ball, and count together") {
        Session session;
        const std::vector<qiao_memory_kind> kinds = kinds_with(session, QIAO_MEMORY_LEVEL_COHERENT);
        if (kinds.empty()) return;
        const Program program = compile(session, kCoherent);
        for (const qiao_memory_kind kind : kinds) {
            INFO(std::string(kKindNames[kind]));
            const Memory memory = session.allocate(4096, kind);
            check_coherence(session, program, static_cast<uint32_t*>(host_pointer_of(memory)), address_of(memory));
        }
    }
}

// M4. At M3 only memory that was allocated here is reached.
TEST_SUITE("levels.system") {
    TEST_CASE("what malloc gave, a variable on the stack and a global are arguments, and are pointed to") {
        Session session;
        if (kinds_with(session, QIAO_MEMORY_LEVEL_SYSTEM).empty()) return;
        const auto number = [](const void* pointer) { return reinterpret_cast<uint64_t>(pointer); };
        const Queue queue = session.queue();
        const Program plain = compile(session, kPlain);
        const std::unique_ptr<uint32_t, decltype(&std::free)> heap(static_cast<uint32_t*>(std::malloc(400)), std::free);
        for (uint32_t i = 0; i < 100; ++i) heap.get()[i] = i;
        g_global = 0;
        uint32_t local = 0;
        wait_for(queue, launch(queue, kernel_of(plain, "twice"), items(1), Twice{number(heap.get() + 3), number(&local)}));
        CHECK(local == 7);
        wait_for(queue, launch(queue, kernel_of(plain, "twice"), items(1), Twice{number(&local), number(&g_global)}));
        CHECK(g_global == 15);

        const Program program = compile(session, kWithPointers);
        auto second = std::make_unique<Node>(Node{0, 20, 0});
        Node first{number(second.get()), 7, 0};
        wait_for(queue, launch(queue, kernel_of(program, "walk"), items(1), Walk{number(&first), number(&local)}));
        CHECK(local == 27);
        CHECK(second->value == 1001);

        alignas(64) uint32_t words[64];
        check_coherence(session, compile(session, kCoherent), words, number(words));
    }

    // Cards with addresses of the vendor's own have nothing that would know.
    TEST_CASE("elsewhere a pointer of the host's is refused, where somebody can know") {
        Session session;
        const bool is_made = (session.properties.flags & QIAO_DEVICE_ADDRESSES_EMULATED) != 0;
        const bool knows = is_made || std::string(session.properties.plugin) == "mock";
        for (const qiao_memory_kind kind : kKinds) {
            if (session.has_kind(kind) && about(session, kind).level == QIAO_MEMORY_LEVEL_SYSTEM) return;
        }
        if (!knows) return;
        const Program program = compile(session, kPlain);
        const Queue queue = session.queue();
        const Memory out = session.allocate(16);
        auto heap = std::make_unique<uint32_t>(5);
        CHECK_FAILS(run(queue, kernel_of(program, "twice"), Twice{reinterpret_cast<uint64_t>(heap.get()), address_of(out)}), QIAO_ERROR_OUT_OF_RANGE, "in no allocation");
    }
}

// A plugin that says of its memory what is not so: host pointers that are not the addresses, and a level that there is not.
TEST_SUITE("levels.liar") {
    TEST_CASE("an allocation that breaks the claim is refused, and leaves nothing behind") {
        Session session;
        CHECK(about(session, QIAO_MEMORY_KIND_HOST).level == QIAO_MEMORY_LEVEL_POINTER);
        uint64_t free_before = 0, free_after = 0, total = 0;
        REQUIRE_OK(qiao_device_query_memory(session.device, &free_before, &total));
        qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
        desc.size_bytes = 1000;
        desc.kind = QIAO_MEMORY_KIND_HOST;
        qiao_memory* memory = nullptr;
        CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &memory), QIAO_ERROR_PLUGIN, "claims level 2", "host memory", "host pointer 0x", "address 0x");
        CHECK(memory == nullptr);
        REQUIRE_OK(qiao_device_query_memory(session.device, &free_after, &total));
        CHECK(free_after == free_before);
        session.allocate(1000);
    }

    TEST_CASE("a claim that cannot be is void, and said in the log") {
        Session session;
        CHECK(about(session, QIAO_MEMORY_KIND_SHARED).level == QIAO_MEMORY_LEVEL_ARGUMENT);
        session.allocate(1000, QIAO_MEMORY_KIND_SHARED);
        bool said = false;
        for (const LogLine& line : session.log.lines()) said = said || (line.text.find("claims level 9 for shared memory") != std::string::npos && line.level == QIAO_LOG_LEVEL_ERROR);
        CHECK(said);
    }
}
