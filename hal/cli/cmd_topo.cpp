/* `qiao topo`: how cards and host hang together. */
#include <CLI/CLI.hpp>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/devices.h"
#include "cli/terminal.h"
#include "cli/topo/forms.h"
#include "cli/topo/measure.h"

namespace qiao::cli {
namespace {

struct TopoOptions {
    TopoRequest request;
    std::vector<std::string> providers;
    bool tree = false, dot = false, json = false, list_providers = false, measure = false;
    std::string svg;
};

uint32_t provider_bits(const std::vector<std::string>& names) {
    uint32_t bits = 0;
    for (const std::string& name : names) {
        uint32_t provider = 1;
        std::string known;
        for (const char* each; (each = qiao_topology_get_name(QIAO_TOPOLOGY_LIST_PROVIDER, provider)) != nullptr && name != each; ++provider)
            known += (known.empty() ? "" : ", ") + std::string(each);
        if (qiao_topology_get_name(QIAO_TOPOLOGY_LIST_PROVIDER, provider) == nullptr) throw Failure(kExitUsage, "--provider: there is no '" + name + "'", "one of " + known);
        bits |= 1u << provider;
    }
    return bits;
}

void write_file(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    if (!file) throw Failure(kExitFailed, "cannot write '" + path + "'", "see whether its folder is there, and has room");
}

int run(const TopoOptions& options) {
    TopoRequest request = options.request;
    request.providers = provider_bits(options.providers);
    const Instance instance = make_instance();
    const TopoModel model = read_topology(instance.get(), request);
    if (!options.svg.empty()) write_file(options.svg, topo_svg(model));
    if (options.measure) {
        const std::vector<LinkMeasurement> measured = measure_links(instance.get(), model);
        if (options.json) {
            print_json(measurements_json(measured));
        } else {
            print(measurements_text(measured));
        }
        return kExitOk;
    }
    if (options.json) {
        print_json(topo_json(model));
    } else if (options.dot) {
        print(topo_dot(model));
    } else if (options.list_providers) {
        print(topo_providers(model));
    } else if (options.tree) {
        print(topo_tree(model));
    } else if (options.svg.empty()) {
        print(topo_matrix(model));
    }
    if (!options.json) {
        for (const std::string& text : model.notes)
            note(text);
    }
    return kExitOk;
}

} // namespace

Command topo_command(CLI::App& root) {
    CLI::App* app = root.add_subcommand("topo", "Show how cards, host and network hang together, and how far they are from each other");
    auto options = std::make_shared<TopoOptions>();
    CLI::Option* tree = app->add_flag("--tree", options->tree, "What hangs on what, by which link");
    CLI::Option* dot = app->add_flag("--dot", options->dot, "A graph for Graphviz")->excludes(tree);
    CLI::Option* json = app->add_flag("--json", options->json, "Print JSON (schema qiao.topo/1)")->excludes(tree)->excludes(dot);
    app->add_flag("--providers", options->list_providers, "Who was asked, and what they had to say")->excludes(tree)->excludes(dot)->excludes(json);
    app->add_option("--svg", options->svg, "Write a picture to this file");
    app->add_flag("--measure", options->measure, "Measure bandwidth and latency between host and cards, beside what is declared")->excludes(tree)->excludes(dot);
    app->add_option("--sysfs", options->request.sysfs_root, "The folder that stands for /sys; default: QIAO_SYSFS_ROOT, else /sys");
    app->add_option("--provider", options->providers, "Ask these only: plugin, pci, kfd, numa, cxl, infiniband, hwloc, libdrm");
    return {app, [options] { return run(*options); }};
}

} // namespace qiao::cli
