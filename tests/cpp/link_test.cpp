// Topologies in C++: the same graph as the C interface gives, with owners, lists and exceptions.
#include "support/session.h"

using namespace cpp;

TEST_SUITE("link.topology") {
    TEST_CASE("vertices, links and ways") {
        const Session session;
        const qiao::Topology topology(session.instance);
        const qiao::VertexIndex card = topology.find(session.device);
        CHECK(topology.vertex(card).device == session.device.get());
        CHECK(topology.find(session.device.id()) == card);
        const qiao::Path itself = topology.path(card, card);
        CHECK(itself);
        CHECK(itself.distance == QIAO_DISTANCE_SAME);
        CHECK(itself.links.empty());
        for (const uint32_t link : topology.links_of(card)) {
            CHECK(topology.link(link).source == card);
            for (const qiao_link_claim& claim : topology.claims(link)) CHECK(topology.attribute(link, claim.attribute).has_value());
            CHECK_FALSE(topology.attribute(link, QIAO_LINK_ATTRIBUTE_PASID_BITS).has_value());
        }
        for (const qiao::VertexIndex other : topology.nearest(card, qiao::VertexKind::kNumaNode)) {
            const qiao::Path path = topology.path(card, other);
            CHECK(path.links.size() == path.link_count);
        }
        CHECK(topology.providers().size() == 8);
        CHECK(topology.notes().size() == topology.properties().note_count);
    }

    TEST_CASE("host memory and threads near a node") {
        const Session session;
        const qiao::Topology topology(session.instance);
        const qiao::VertexIndex node = topology.find_cpu(topology.cpus(topology.find("numa:0")).front());
        topology.bind_thread(node);
        const qiao::NearMemory memory = topology.allocate(node, 4096);
        CHECK(memory.size() == 4096);
        static_cast<char*>(memory.data())[4095] = 1;
    }

    TEST_CASE("a shared topology outlives the first, and what is not there throws") {
        const Session session;
        qiao::Topology shared;
        {
            const qiao::Topology topology(session.instance, {"/nowhere", 0});
            shared = topology.share();
        }
        CHECK_NOTHROW(static_cast<void>(shared.find(session.device)));
        CHECK_THROWS_AS(static_cast<void>(shared.find("nothing")), qiao::NotFoundError);
        CHECK_THROWS_AS(static_cast<void>(shared.vertex(1u << 30)), qiao::Error);
    }
}
