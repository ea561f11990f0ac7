/* What copies between host and cards really do, beside what links declare. */
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/topo/model.h"

namespace qiao::cli {

struct LinkSample {
    uint64_t bytes = 0;
    double bytes_per_s = 0;
};

/* One way: from a NUMA node to a card, from a card to a NUMA node, or from a card to a card. */
struct LinkMeasurement {
    std::string source, target; /* ids as people know them; "host" where no node is known */
    std::string problem;        /* why it could not be measured; "" = it was */
    std::vector<LinkSample> samples; /* 4 B to 64 MiB */
    double bandwidth = 0;       /* bytes per second, the best of the samples */
    double latency_ns = 0;      /* of the smallest copy */
    uint64_t declared_bandwidth = QIAO_UNKNOWN, declared_latency_ns = QIAO_UNKNOWN;
    bool is_simulated = false;  /* times of a model's clock or of the host, of no link */

    /* By more than a quarter. */
    bool differs() const;
};

/* Up to 16 cards, each with the host; and up to 8 with each other. */
std::vector<LinkMeasurement> measure_links(qiao_instance* instance, const TopoModel& model);

std::string measurements_text(const std::vector<LinkMeasurement>& measured);
/* Schema qiao.topo_measure/1. */
nlohmann::ordered_json measurements_json(const std::vector<LinkMeasurement>& measured);

} // namespace qiao::cli
