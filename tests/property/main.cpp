// Random sequences of operations on all devices at once, compared with a plain model in host memory. A failing one is made short and
// printed, in the form that --replay takes. Exit status 1 says that one failed.
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>

#include "property/shrink.h"
#include "property/world.h"

namespace {

using namespace property;

constexpr size_t kShrinkingRuns = 1500;

struct Options {
    std::vector<std::string> devices{"mock:*"};
    uint64_t sequences = 100, seed = 1;
    size_t length = 40;
    std::string replay;
    size_t failure_within = 0;
    bool is_crowded = false;
};

// Keeps a world as long as it is sound.
class Runner {
public:
    explicit Runner(const Options& options) : devices_(options.devices), is_crowded_(options.is_crowded), world_(make()) {
        std::cout << "devices: " << world_->describe() << std::endl;
    }

    std::string describe_traffic() const { return world_->describe_traffic(); }

    // "" if all is as the model has it.
    std::string run(const Sequence& sequence) {
        if (world_ == nullptr) world_ = make();
        try {
            world_->run(sequence);
            return "";
        } catch (const Failure& failure) {
            world_.reset();
            return failure.what();
        }
    }

private:
    std::unique_ptr<World> make() const { return std::make_unique<World>(devices_, is_crowded_); }

    const std::vector<std::string> devices_;
    const bool is_crowded_;
    std::unique_ptr<World> world_;
};

Sequence read_sequence(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read " + path);
    Sequence sequence;
    for (std::string line; std::getline(file, line);)
        if (!line.empty() && line[0] != '#') sequence.push_back(parse(line));
    return sequence;
}

void print(const Sequence& sequence) {
    for (const Operation& operation : sequence) std::cout << to_text(operation) << "\n";
}

int replay(Runner& runner, const Sequence& sequence) {
    const std::string failure = runner.run(sequence);
    std::cout << (failure.empty() ? "as the model has it" : failure) << std::endl;
    return failure.empty() ? 0 : 1;
}

// The seed of the n-th sequence is the first one's plus n: --seed S --sequences 1 repeats one alone.
int search(Runner& runner, const Options& options) {
    for (uint64_t n = 0; n < options.sequences; ++n) {
        if (n % 100 == 0) std::cout << "from seed " << options.seed + n << std::endl;
        Random random(options.seed + n);
        Sequence sequence = random_sequence(random, options.length);
        std::string failure = runner.run(sequence);
        if (failure.empty()) continue;
        std::cout << "seed " << options.seed + n << ": " << failure << "\nmaking it short" << std::endl;
        const auto fails = [&](const Sequence& candidate) {
            const std::string again = runner.run(candidate);
            if (!again.empty()) failure = again;
            return !again.empty();
        };
        sequence = shrink(sequence, fails, kShrinkingRuns);
        print(sequence);
        std::cout << failure << std::endl;
        return options.failure_within != 0 && sequence.size() <= options.failure_within ? 0 : 1;
    }
    std::cout << runner.describe_traffic() << options.sequences << " sequences of " << options.length << " operations from seed " << options.seed << ": as the model has it" << std::endl;
    return options.failure_within != 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app("Random sequences of operations on all devices, compared with a model in host memory");
    app.add_option("devices", options.devices, "Ids of devices, or what begins them and a *");
    app.add_option("--sequences", options.sequences, "How many");
    app.add_option("--length", options.length, "Operations of each");
    app.add_option("--seed", options.seed, "Of the first");
    app.add_option("--replay", options.replay, "A file with a sequence, as it is printed");
    app.add_option("--expect-failure", options.failure_within, "Succeed if one fails, and with at most so many operations when it is short");
    app.add_flag("--crowded", options.is_crowded, "Much shared memory: for cards that are too small for it");
    CLI11_PARSE(app, argc, argv);
    try {
        Runner runner(options);
        return options.replay.empty() ? search(runner, options) : replay(runner, read_sequence(options.replay));
    } catch (const std::exception& error) {
        std::cerr << error.what() << std::endl;
        return 2;
    }
}
