// What the plugin tells of links: a little that is true, and all that must be refused. The answers it got are in the name of its switch.
#include <iterator>
#include <string>

#include "queued.h"

namespace queued {
namespace {

qiao_plugin_vertex vertex(const char* id, const char* name, qiao_vertex_kind kind, uint32_t device = UINT32_MAX, uint32_t parent = UINT32_MAX) {
    return {sizeof(qiao_plugin_vertex), nullptr, id, name, kind, device, parent, UINT32_MAX, QIAO_UNKNOWN, 0};
}

qiao_status describe(void*, const qiao_plugin_link_sink* sink) {
    uint32_t cards[2], good = 0, fabric = 0, bad = 7;
    const qiao_plugin_vertex first = vertex(nullptr, "a card", QIAO_VERTEX_KIND_CARD, 0), second = vertex(nullptr, nullptr, QIAO_VERTEX_KIND_CARD, 1);
    sink->add_vertex(sink->sink, &first, &cards[0]);
    sink->add_vertex(sink->sink, &second, &cards[1]);
    const qiao_link_claim claims[] = {{QIAO_LINK_ATTRIBUTE_BANDWIDTH, 0, 64'000'000'000, QIAO_GRADE_VERIFIED, 0}, {QIAO_LINK_ATTRIBUTE_LATENCY, 0, 250, 0, 0}};
    sink->add_class(sink->sink, QIAO_LINK_KIND_UB, 0, claims, std::size(claims), &good);
    sink->add_link(sink->sink, cards[0], cards[1], good);

    std::string answers;
    const auto note = [&](qiao_status status) { answers += std::to_string(status) + ';'; };
    const std::string longer(129, 'x');
    for (const qiao_plugin_vertex& each : {vertex("queued/a", nullptr, 99), vertex(nullptr, nullptr, QIAO_VERTEX_KIND_SWITCH), vertex(longer.c_str(), nullptr, QIAO_VERTEX_KIND_SWITCH),
                                           vertex("queued/b", nullptr, QIAO_VERTEX_KIND_SWITCH, UINT32_MAX, 1000)})
        note(sink->add_vertex(sink->sink, &each, &bad));
    const qiao_link_claim unknown = {QIAO_LINK_ATTRIBUTE_COUNT, 0, 1, 0, 0}, grade = {QIAO_LINK_ATTRIBUTE_LANES, 0, 1, 77, 0};
    note(sink->add_class(sink->sink, 99, 0, nullptr, 0, &bad));
    note(sink->add_class(sink->sink, QIAO_LINK_KIND_UB, 0, &unknown, 1, &bad));
    note(sink->add_class(sink->sink, QIAO_LINK_KIND_UB, 0, &grade, 1, &bad));
    note(sink->add_class(sink->sink, QIAO_LINK_KIND_UB, 0, claims, 65, &bad));
    note(sink->add_link(sink->sink, cards[0], 1000, good));
    note(sink->add_link(sink->sink, cards[0], cards[1], 1000));
    note(sink->add_link(sink->sink, cards[0], cards[0], good));
    const qiao_plugin_vertex told = vertex("queued/switch", answers.c_str(), QIAO_VERTEX_KIND_SWITCH);
    return sink->add_vertex(sink->sink, &told, &fabric);
}

} // namespace

const qiao_plugin_link_ops kLinkOps = {sizeof(qiao_plugin_link_ops), describe};

} // namespace queued
