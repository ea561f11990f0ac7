/* Copies in a queue of the card's, from the submission to the end of the last; on the card's clock, which is the host's unless time is a
 * model's. Host memory is taken near the card where its node is known. */
#include "cli/topo/measure.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cli/failure.h"
#include "cli/table.h"
#include "cli/terminal.h"

namespace qiao::cli {
namespace {

constexpr uint64_t kMost = 64u << 20;
constexpr uint64_t kSizes[] = {4, 256, 4096, 65536, 1u << 20, 8u << 20, kMost};
constexpr int kRounds = 5;
constexpr size_t kMostCards = 16, kMostPairs = 8;
constexpr uint64_t kPatience = 20'000'000'000;

/* Memory of a card, or of the host near one. */
struct End {
    qiao_device* device = nullptr; /* null = the host's */
    uint64_t address = 0;
};

class HostMemory {
  public:
    HostMemory(const TopoModel& model, uint32_t vertex) {
        if (qiao_topology_allocate(model.handle.get(), vertex, kMost, &near_) == QIAO_OK) {
            std::memset(near_, 1, kMost);
        } else {
            elsewhere_.assign(kMost, 1);
        }
    }
    ~HostMemory() { qiao_topology_free(near_, kMost); }
    HostMemory(const HostMemory&) = delete;
    HostMemory& operator=(const HostMemory&) = delete;
    End end() { return {nullptr, reinterpret_cast<uint64_t>(near_ != nullptr ? near_ : elsewhere_.data())}; }

  private:
    void* near_ = nullptr;
    std::vector<unsigned char> elsewhere_;
};

struct Card {
    uint32_t vertex = 0;
    qiao_device* device = nullptr;
    bool is_simulated = false;
    Memory memory;
    Queue queue;
    qiao_timeline* timeline = nullptr;
    End end;
};

void open_card(Card& card) {
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    desc.size_bytes = kMost;
    desc.kind = QIAO_MEMORY_KIND_DEVICE;
    qiao_memory* memory = nullptr;
    check(qiao_memory_allocate(card.device, &desc, &memory), "allocating 64 MiB");
    card.memory.reset(memory);
    card.end.device = card.device;
    check(qiao_memory_get_address(memory, &card.end.address), "allocating 64 MiB");
    qiao_queue* queue = nullptr;
    check(qiao_queue_create(card.device, nullptr, &queue), "making a queue");
    card.queue.reset(queue);
    check(qiao_queue_get_timeline(queue, &card.timeline), "making a queue");
}

uint64_t now_ns(const Card& card) {
    uint64_t device_ns = 0, host_ns = 0;
    check(qiao_device_query_clock(card.device, &device_ns, &host_ns), "reading the clock");
    return device_ns;
}

/* Nanoseconds of one copy, the best of several. */
double copy_ns(const Card& card, const End& from, const End& to, uint64_t bytes) {
    double best = 0;
    for (int round = 0; round <= kRounds; ++round) { /* the first one warms up */
        qiao_copy copy{};
        copy.source = {from.device, from.address};
        copy.target = {to.device, to.address};
        copy.size_bytes = bytes;
        const uint64_t start = now_ns(card);
        uint64_t value = 0;
        check(qiao_queue_copy(card.queue.get(), &copy, &value), "copying");
        check(qiao_timeline_wait(card.timeline, value, kPatience), "copying");
        const auto taken = static_cast<double>(now_ns(card) - start);
        if (round == 1 || (round > 1 && taken < best)) best = taken;
    }
    return std::max(best, 1.0);
}

LinkMeasurement measure(const TopoModel& model, const Card& card, const End& from, const End& to, uint32_t source, uint32_t target) {
    LinkMeasurement measured;
    const auto label = [&](uint32_t vertex) { return vertex == kNoVertex ? std::string("host") : model.vertices[vertex].label; };
    measured.source = label(source);
    measured.target = label(target);
    measured.is_simulated = card.is_simulated;
    if (source != kNoVertex && target != kNoVertex) {
        const TopoPath path = model.path(source, target);
        measured.declared_bandwidth = path.bandwidth;
        measured.declared_latency_ns = path.latency_ns;
    }
    try {
        for (const uint64_t bytes : kSizes) {
            const double ns = copy_ns(card, from, to, bytes);
            if (measured.samples.empty()) measured.latency_ns = ns;
            measured.samples.push_back({bytes, static_cast<double>(bytes) * 1e9 / ns});
            measured.bandwidth = std::max(measured.bandwidth, measured.samples.back().bytes_per_s);
        }
    } catch (const Failure& failure) {
        measured.problem = failure.what();
    }
    return measured;
}

} // namespace

bool LinkMeasurement::differs() const {
    if (!problem.empty() || declared_bandwidth == QIAO_UNKNOWN) return false;
    return std::abs(bandwidth / static_cast<double>(declared_bandwidth) - 1) > 0.25;
}

std::vector<LinkMeasurement> measure_links(qiao_instance* instance, const TopoModel& model) {
    std::vector<LinkMeasurement> all;
    std::vector<Card> cards;
    for (const Device& device : all_devices(instance)) {
        uint32_t vertex = kNoVertex;
        if (cards.size() == kMostCards) {
            note("only the first " + std::to_string(kMostCards) + " devices are measured");
            break;
        }
        if (qiao_topology_find_device(model.handle.get(), device.handle, &vertex) != QIAO_OK) continue;
        Card card{.vertex = vertex, .device = device.handle, .is_simulated = (device.properties.flags & QIAO_DEVICE_SIMULATED) != 0, .memory = {}, .queue = {}, .end = {}};
        try {
            open_card(card);
            cards.push_back(std::move(card));
        } catch (const Failure& failure) {
            all.push_back({.source = "host", .target = device.id, .problem = failure.what(), .samples = {}});
        }
    }
    for (const Card& card : cards) {
        HostMemory host(model, card.vertex);
        const std::vector<uint32_t> nodes = model.nearest(card.vertex, QIAO_VERTEX_KIND_NUMA_NODE);
        const uint32_t node = nodes.empty() ? kNoVertex : nodes[0];
        all.push_back(measure(model, card, host.end(), card.end, node, card.vertex));
        all.push_back(measure(model, card, card.end, host.end(), card.vertex, node));
    }
    for (size_t from = 0; from < std::min(cards.size(), kMostPairs); ++from) {
        for (size_t to = 0; to < std::min(cards.size(), kMostPairs); ++to) {
            if (from != to) all.push_back(measure(model, cards[from], cards[from].end, cards[to].end, cards[from].vertex, cards[to].vertex));
        }
    }
    return all;
}

std::string measurements_text(const std::vector<LinkMeasurement>& measured) {
    Table table;
    table.add_row({"from", "to", "bandwidth", "declared", "4 B take", "declared", ""});
    bool any_simulated = false;
    for (const LinkMeasurement& each : measured) {
        const auto declared = [](uint64_t value, const std::string& text) { return value == QIAO_UNKNOWN ? std::string("?") : text; };
        any_simulated = any_simulated || each.is_simulated;
        if (!each.problem.empty()) {
            table.add_row({printable(each.source), printable(each.target), coloured(Colour::Bad, "-"), "", "", "", printable(each.problem)});
            continue;
        }
        table.add_row({printable(each.source), printable(each.target), rate_text(static_cast<uint64_t>(each.bandwidth)), declared(each.declared_bandwidth, rate_text(each.declared_bandwidth)),
                       time_text(each.latency_ns), declared(each.declared_latency_ns, time_text(static_cast<double>(each.declared_latency_ns))),
                       each.differs() ? coloured(Colour::Warning, "differs") : each.is_simulated ? "simulated" : ""});
    }
    return table.text() + (any_simulated ? "\nOf simulated cards these are times of the host, or of the model's clock.\n" : "");
}

nlohmann::ordered_json measurements_json(const std::vector<LinkMeasurement>& measured) {
    nlohmann::ordered_json json = {{"schema", "qiao.topo_measure/1"}, {"links", nlohmann::ordered_json::array()}};
    for (const LinkMeasurement& each : measured) {
        nlohmann::ordered_json link = {{"source", each.source}, {"target", each.target}};
        if (!each.problem.empty()) {
            link["problem"] = each.problem;
        } else {
            link["bandwidth_bytes_per_s"] = each.bandwidth;
            link["latency_ns"] = each.latency_ns;
            link["samples"] = nlohmann::ordered_json::array();
            for (const LinkSample& sample : each.samples)
                link["samples"].push_back({{"bytes", sample.bytes}, {"bytes_per_s", sample.bytes_per_s}});
        }
        if (each.declared_bandwidth != QIAO_UNKNOWN) link["declared_bandwidth_bytes_per_s"] = each.declared_bandwidth;
        if (each.declared_latency_ns != QIAO_UNKNOWN) link["declared_latency_ns"] = each.declared_latency_ns;
        link["differs"] = each.differs();
        link["simulated"] = each.is_simulated;
        json["links"].push_back(std::move(link));
    }
    return json;
}

} // namespace qiao::cli
