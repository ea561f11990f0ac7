// Topologies from outside. The fixture plugin tells a little that is true and much that is not; the mock's cabinet has ways whose length and
// width are known; of the machine itself only what every Linux machine has is looked at.
#include <sched.h>

#include <chrono>
#include <iostream>
#include <set>
#include <thread>

#include "support/session.h"

using namespace api;

namespace {

constexpr uint32_t kPluginOnly = 1u << QIAO_TOPOLOGY_PROVIDER_PLUGIN;

Topology make(const Session& session, uint32_t providers, const char* root = nullptr) {
    qiao_topology_desc desc = QIAO_TOPOLOGY_DESC_INIT;
    desc.providers = providers;
    desc.sysfs_root = root;
    qiao_topology* topology = nullptr;
    REQUIRE_OK(qiao_topology_create(session.instance.get(), &desc, &topology));
    return Topology(topology);
}

qiao_topology_properties properties_of(const Topology& topology) {
    qiao_topology_properties properties = QIAO_TOPOLOGY_PROPERTIES_INIT;
    REQUIRE_OK(qiao_topology_query(topology.get(), &properties));
    return properties;
}

uint32_t find(const Topology& topology, const std::string& id) {
    uint32_t vertex = 0;
    REQUIRE_OK(qiao_topology_find_vertex(topology.get(), id.c_str(), &vertex));
    return vertex;
}

qiao_path path(const Topology& topology, uint32_t source, uint32_t target) {
    qiao_path found = QIAO_PATH_INIT;
    REQUIRE_OK(qiao_topology_query_path(topology.get(), source, target, 0, nullptr, &found));
    return found;
}

std::vector<uint32_t> nearest(const Topology& topology, uint32_t source, qiao_vertex_kind kind) {
    uint32_t count = 0;
    REQUIRE_OK(qiao_topology_query_nearest(topology.get(), source, kind, 0, nullptr, &count));
    std::vector<uint32_t> found(count);
    REQUIRE_OK(qiao_topology_query_nearest(topology.get(), source, kind, count, found.data(), &count));
    return found;
}

std::string id_of(const Topology& topology, uint32_t vertex) {
    qiao_vertex about = QIAO_VERTEX_INIT;
    REQUIRE_OK(qiao_topology_query_vertex(topology.get(), vertex, &about));
    return about.id;
}

// The first of this machine's NUMA nodes.
uint32_t host_node(const Topology& topology) {
    uint32_t vertex = 0;
    REQUIRE_OK(qiao_topology_find_cpu(topology.get(), static_cast<uint32_t>(sched_getcpu()), &vertex));
    return vertex;
}

}  // namespace

TEST_SUITE("topology.plugin") {
    TEST_CASE("what the plugin tells is there, with its evidence") {
        Session session;
        const Topology topology = make(session, kPluginOnly);
        uint32_t card = 0;
        REQUIRE_OK(qiao_topology_find_device(topology.get(), session.device, &card));
        CHECK(card == find(topology, "queued:0"));
        const uint32_t other = find(topology, "queued:1");
        qiao_vertex about = QIAO_VERTEX_INIT;
        REQUIRE_OK(qiao_topology_query_vertex(topology.get(), card, &about));
        CHECK(std::string(about.name) == "a card");
        CHECK(about.device == session.device);
        const qiao_path way = path(topology, card, other);
        CHECK(way.distance == QIAO_DISTANCE_DIRECT);
        CHECK(way.bandwidth == 64'000'000'000);
        CHECK(way.latency_ns == 250);
        qiao_link_claim claim = QIAO_LINK_CLAIM_INIT;
        REQUIRE_OK(qiao_topology_get_attribute(topology.get(), way.bottleneck, QIAO_LINK_ATTRIBUTE_BANDWIDTH, &claim));
        CHECK(claim.provider == QIAO_TOPOLOGY_PROVIDER_PLUGIN);
        CHECK(claim.grade == QIAO_GRADE_VERIFIED);
        CHECK_FAILS(qiao_topology_get_attribute(topology.get(), way.bottleneck, QIAO_LINK_ATTRIBUTE_LANES, &claim), QIAO_ERROR_NOT_FOUND, "nobody says what the lanes");
        // Links are directed: the way back was not told.
        CHECK(path(topology, other, card).distance == QIAO_DISTANCE_NONE);
    }

    TEST_CASE("what it must not tell is refused, left out and noted") {
        Session session;
        const Topology topology = make(session, kPluginOnly);
        qiao_vertex about = QIAO_VERTEX_INIT;
        REQUIRE_OK(qiao_topology_query_vertex(topology.get(), find(topology, "queued/switch"), &about));
        CHECK(std::string(about.name) == "-1;-1;-3;-3;-1;-1;-1;-3;-3;-3;-1;");
        CHECK(properties_of(topology).note_count == 11);
        CHECK(properties_of(topology).link_count == 1);
        const char* text = nullptr;
        REQUIRE_OK(qiao_topology_query_note(topology.get(), 0, &text));
        CHECK(std::string(text).find("plugin queued: a vertex is of kind 99") == 0);
    }

    TEST_CASE("devices that nothing is told of are vertices too, and a hidden one is not shown") {
        Session session;
        const Topology all = make(session, kPluginOnly);
        CHECK(nearest(all, find(all, "queued:2"), QIAO_VERTEX_KIND_CARD).empty());
        qiao_instance_desc desc = QIAO_INSTANCE_DESC_INIT;
        const std::string folders = plugin_path();
        desc.plugin_path = folders.c_str();
        desc.visible_devices = "queued:0";
        qiao_instance* made = nullptr;
        REQUIRE_OK(qiao_instance_create(&desc, &made));
        const Instance instance(made);
        qiao_topology* topology = nullptr;
        REQUIRE_OK(qiao_topology_create(made, nullptr, &topology));
        const Topology few(topology);
        uint32_t vertex = 0;
        CHECK_FAILS(qiao_topology_find_vertex(few.get(), "queued:1", &vertex), QIAO_ERROR_NOT_FOUND, "no vertex has the id 'queued:1'");
        CHECK_FAILS(qiao_topology_find_device(few.get(), session.device, &vertex), QIAO_ERROR_NOT_FOUND, "another instance");
    }

    TEST_CASE("a topology keeps its instance alive") {
        auto session = std::make_unique<Session>();
        const Topology topology = make(*session, kPluginOnly);
        session.reset();
        CHECK(id_of(topology, find(topology, "queued:0")) == "queued:0");
    }
}

TEST_SUITE("topology.arguments") {
    TEST_CASE("what is wrong with a description is said") {
        Session session;
        qiao_topology* topology = nullptr;
        const auto create = [&](const qiao_topology_desc& desc) {
            topology = reinterpret_cast<qiao_topology*>(1);
            const qiao_status status = qiao_topology_create(session.instance.get(), &desc, &topology);
            CHECK(topology == nullptr);
            return status;
        };
        qiao_topology_desc desc = QIAO_TOPOLOGY_DESC_INIT;
        desc.providers = 1u << 9 | 1u;
        CHECK_FAILS(create(desc), QIAO_ERROR_INVALID_ARGUMENT, "providers has unknown bits 0x201");
        desc = QIAO_TOPOLOGY_DESC_INIT;
        desc.flags = 4;
        CHECK_FAILS(create(desc), QIAO_ERROR_INVALID_ARGUMENT, "flags has unknown bits 0x4");
        desc = QIAO_TOPOLOGY_DESC_INIT;
        desc.reserved0 = 1;
        CHECK_FAILS(create(desc), QIAO_ERROR_INVALID_ARGUMENT, "reserved0");
        desc = QIAO_TOPOLOGY_DESC_INIT;
        desc.sysfs_root = "";
        CHECK_FAILS(create(desc), QIAO_ERROR_INVALID_ARGUMENT, "sysfs_root is empty", "null");
        desc = QIAO_TOPOLOGY_DESC_INIT;
        desc.struct_size = 1;
        CHECK_FAILS(create(desc), QIAO_ERROR_INVALID_ARGUMENT, "struct_size is 1");
        CHECK_FAILS(qiao_topology_create(session.instance.get(), nullptr, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "'out_topology' is null");
    }

    TEST_CASE("a root that is not there leaves what plugins tell") {
        Session session;
        const Topology topology = make(session, 0, "/nowhere/at/all");
        CHECK(find(topology, "queued:0") < properties_of(topology).vertex_count);
        for (uint32_t index = 0; index < properties_of(topology).provider_count; ++index) {
            qiao_topology_provider provider = QIAO_TOPOLOGY_PROVIDER_INIT;
            REQUIRE_OK(qiao_topology_query_provider(topology.get(), index, &provider));
            CHECK(provider.provider == index + 1);
            CHECK((provider.state == QIAO_PROVIDER_STATE_USED) == (provider.provider == QIAO_TOPOLOGY_PROVIDER_PLUGIN));
            CHECK(*provider.text != '\0');
        }
        qiao_topology_provider beyond = QIAO_TOPOLOGY_PROVIDER_INIT;
        CHECK_FAILS(qiao_topology_query_provider(topology.get(), 8, &beyond), QIAO_ERROR_NOT_FOUND, "8 providers");
    }

    TEST_CASE("numbers behind the last, kinds that there are not, and null are refused") {
        Session session;
        const Topology topology = make(session, kPluginOnly);
        const qiao_topology_properties all = properties_of(topology);
        qiao_vertex vertex = QIAO_VERTEX_INIT;
        qiao_link link = QIAO_LINK_INIT;
        qiao_link_claim claim = QIAO_LINK_CLAIM_INIT;
        qiao_path way = QIAO_PATH_INIT;
        uint32_t count = 7;
        void* pointer = &count;
        const char* text = "";
        qiao_topology* handle = topology.get();
        CHECK_FAILS(qiao_topology_query_vertex(handle, all.vertex_count, &vertex), QIAO_ERROR_OUT_OF_RANGE, "vertices");
        CHECK_FAILS(qiao_topology_query_link(handle, all.link_count, &link), QIAO_ERROR_OUT_OF_RANGE, "links");
        CHECK_FAILS(qiao_topology_query_claim(handle, 0, 2, &claim), QIAO_ERROR_NOT_FOUND, "2 claims");
        CHECK_FAILS(qiao_topology_get_attribute(handle, 0, QIAO_LINK_ATTRIBUTE_COUNT, &claim), QIAO_ERROR_INVALID_ARGUMENT, "no attribute 35");
        CHECK_FAILS(qiao_topology_get_attribute(handle, 0, 0, &claim), QIAO_ERROR_INVALID_ARGUMENT, "no attribute 0");
        CHECK_FAILS(qiao_topology_query_path(handle, 0, all.vertex_count, 0, nullptr, &way), QIAO_ERROR_OUT_OF_RANGE, "target");
        CHECK_FAILS(qiao_topology_query_path(handle, all.vertex_count, 0, 0, nullptr, &way), QIAO_ERROR_OUT_OF_RANGE, "source");
        CHECK_FAILS(qiao_topology_query_path(handle, 0, 0, 1, nullptr, &way), QIAO_ERROR_INVALID_ARGUMENT, "out_links");
        CHECK_FAILS(qiao_topology_query_nearest(handle, 0, 0, 0, nullptr, &count), QIAO_ERROR_INVALID_ARGUMENT, "no kind 0");
        CHECK_FAILS(qiao_topology_query_nearest(handle, 0, 99, 0, nullptr, &count), QIAO_ERROR_INVALID_ARGUMENT, "no kind 99");
        CHECK(count == 0);
        CHECK_FAILS(qiao_topology_enumerate_links(handle, all.vertex_count, 0, nullptr, &count), QIAO_ERROR_OUT_OF_RANGE);
        CHECK_FAILS(qiao_topology_find_vertex(handle, nullptr, &count), QIAO_ERROR_INVALID_ARGUMENT, "'id' is null");
        CHECK_FAILS(qiao_topology_find_cpu(handle, 0, &count), QIAO_ERROR_NOT_FOUND, "CPU 0");
        CHECK_FAILS(qiao_topology_query_cpus(handle, 0, 0, nullptr, &count), QIAO_ERROR_NOT_FOUND, "not known which NUMA node is near queued:0", "qiao topo --providers");
        CHECK_FAILS(qiao_topology_bind_thread(handle, 0), QIAO_ERROR_NOT_FOUND, "queued:0");
        CHECK_FAILS(qiao_topology_allocate(handle, 0, 64, &pointer), QIAO_ERROR_NOT_FOUND, "queued:0");
        CHECK(pointer == nullptr);
        CHECK_FAILS(qiao_topology_allocate(handle, 0, 0, &pointer), QIAO_ERROR_OUT_OF_RANGE, "size_bytes is 0");
        CHECK_FAILS(qiao_topology_query_note(handle, all.note_count, &text), QIAO_ERROR_NOT_FOUND);
        CHECK_OK(qiao_topology_free(nullptr, 0));
        CHECK_FAILS(qiao_topology_free(&count, 0), QIAO_ERROR_OUT_OF_RANGE);
        CHECK_FAILS(qiao_topology_free(reinterpret_cast<void*>(1), 4096), QIAO_ERROR_INVALID_ARGUMENT);
        CHECK(qiao_topology_get_name(QIAO_TOPOLOGY_LIST_VERTEX_KIND, 99) == nullptr);
        CHECK(qiao_topology_get_name(99, 1) == nullptr);
        CHECK(std::string(qiao_topology_get_name(QIAO_TOPOLOGY_LIST_UNIT, QIAO_LINK_ATTRIBUTE_BANDWIDTH)) == "By/s");
        CHECK(properties_of(topology).vertex_count == all.vertex_count);
    }
}

TEST_SUITE("topology.host") {
    TEST_CASE("a thread is bound to the CPUs of a node, and memory is taken there") {
        Session session;
        const Topology topology = make(session, 0);
        const uint32_t node = host_node(topology);
        uint32_t count = 0;
        REQUIRE_OK(qiao_topology_query_cpus(topology.get(), node, 0, nullptr, &count));
        std::vector<uint32_t> cpus(count);
        REQUIRE_OK(qiao_topology_query_cpus(topology.get(), node, count, cpus.data(), &count));
        std::thread([&] {
            REQUIRE_OK(qiao_topology_bind_thread(topology.get(), node));
            cpu_set_t bound;
            REQUIRE(sched_getaffinity(0, sizeof bound, &bound) == 0);
            const std::set<uint32_t> near(cpus.begin(), cpus.end());
            for (uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
                if (CPU_ISSET(cpu, &bound)) CHECK(near.count(cpu) == 1);
            }
        }).join();
        void* pointer = nullptr;
        REQUIRE_OK(qiao_topology_allocate(topology.get(), node, 10'000, &pointer));
        auto* bytes = static_cast<unsigned char*>(pointer);
        CHECK(bytes[9'999] == 0);
        bytes[9'999] = 1;
        CHECK_OK(qiao_topology_free(pointer, 10'000));
        CHECK_FAILS(qiao_topology_allocate(topology.get(), node, UINT64_MAX, &pointer), QIAO_ERROR_OUT_OF_MEMORY, "numa:");
    }
}

TEST_SUITE("topology.cabinet") {
    TEST_CASE("ways are as long and as wide as the model says") {
        Session session;
        const Topology topology = make(session, kPluginOnly);
        const uint32_t first = find(topology, "mock:0");
        const qiao_path same_fragment = path(topology, first, find(topology, "mock:39")), same_rail = path(topology, first, find(topology, "mock:40")),
                        other_rail = path(topology, first, find(topology, "mock:41")), itself = path(topology, first, first);
        CHECK(itself.distance == QIAO_DISTANCE_SAME);
        CHECK(itself.link_count == 0);
        CHECK(same_fragment.distance == QIAO_DISTANCE_FABRIC);
        CHECK(same_fragment.link_count == 2);
        CHECK(same_fragment.bandwidth == 112'000'000'000);
        CHECK(same_fragment.alternatives == 4);  // together the published 448 GB/s
        CHECK(same_rail.distance == QIAO_DISTANCE_NETWORK);
        CHECK(same_rail.link_count == 4);
        CHECK(same_rail.bandwidth == 50'000'000'000);
        CHECK(other_rail.link_count == 5);
        CHECK(other_rail.alternatives == 2);
        CHECK(other_rail.unknown_bandwidths == 0);
    }

    TEST_CASE("the nearest of each kind") {
        Session session;
        const Topology topology = make(session, kPluginOnly);
        const uint32_t card = find(topology, "mock:5");
        CHECK(id_of(topology, nearest(topology, card, QIAO_VERTEX_KIND_PORT)[0]) == "mock/cabinet0/fragment0/node1/card1/port");
        CHECK(id_of(topology, nearest(topology, card, QIAO_VERTEX_KIND_NUMA_NODE)[0]) == "mock/cabinet0/fragment0/node1/numa");
        const std::vector<uint32_t> cards = nearest(topology, card, QIAO_VERTEX_KIND_CARD);
        CHECK(cards.size() == 639);
        std::set<std::string> closest;
        for (size_t i = 0; i < 39; ++i) closest.insert(id_of(topology, cards[i]));
        for (int number = 0; number < 40; ++number) CHECK(closest.count("mock:" + std::to_string(number)) == (number != 5));
        // The best card for a CPU is one of its node's.
        CHECK(id_of(topology, nearest(topology, find(topology, "mock/cabinet0/fragment0/node1/numa"), QIAO_VERTEX_KIND_CARD)[0]) == "mock:4");
    }

    TEST_CASE("a model's nodes are none of this machine's") {
        Session session;
        const Topology topology = make(session, kPluginOnly);
        void* pointer = nullptr;
        CHECK_FAILS(qiao_topology_bind_thread(topology.get(), find(topology, "mock:0")), QIAO_ERROR_UNSUPPORTED, "a model's");
        CHECK_FAILS(qiao_topology_allocate(topology.get(), find(topology, "mock:0"), 64, &pointer), QIAO_ERROR_UNSUPPORTED, "a model's");
    }

    TEST_CASE("every figure is graded and every vertex labelled as modelled") {
        Session session;
        const Topology topology = make(session, kPluginOnly);
        const qiao_topology_properties all = properties_of(topology);
        CHECK(all.class_count <= 8);
        CHECK(all.host_bytes / 640 < 16 * 1024);
        for (uint32_t index = 0; index < all.link_count; index += 97) {
            qiao_link link = QIAO_LINK_INIT;
            REQUIRE_OK(qiao_topology_query_link(topology.get(), index, &link));
            CHECK((link.flags & QIAO_TOPOLOGY_MODELLED) != 0);
            for (uint32_t at = 0; at < link.claim_count; ++at) {
                qiao_link_claim claim = QIAO_LINK_CLAIM_INIT;
                REQUIRE_OK(qiao_topology_query_claim(topology.get(), index, at, &claim));
                CHECK(claim.grade != 0);
            }
        }
    }

    TEST_CASE("all ways between 640 cards, from several threads") {
        Session session;
        const Topology topology = make(session, kPluginOnly);
        std::vector<uint32_t> cards;
        for (int number = 0; number < 640; ++number) cards.push_back(find(topology, "mock:" + std::to_string(number)));
        const auto start = std::chrono::steady_clock::now();
        uint64_t links = 0;
        qiao_path way = QIAO_PATH_INIT;
        for (const uint32_t source : cards) {
            for (const uint32_t target : cards) {
                if (qiao_topology_query_path(topology.get(), source, target, 0, nullptr, &way) == QIAO_OK) links += way.link_count;
            }
        }
        const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
        std::cout << "640 x 640 ways: " << ms << " ms\n";
        CHECK(links == 640 * (39 * 2 + 150 * 4 + 450 * 5));
        std::vector<std::thread> threads;
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&, thread] {
                for (int at = thread; at < 640; at += 37) CHECK(path(topology, cards[static_cast<size_t>(at)], cards[0]).distance != QIAO_DISTANCE_NONE);
            });
        }
        for (std::thread& thread : threads) thread.join();
    }
}
