// What finding the host's writes to shared memory costs, by each way of finding them. Reported, never judged.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "object/error.h"
#include "tracking/host_view.h"

namespace {

using qiao::HostView;
using qiao::Run;
using qiao::Tracking;

constexpr uint64_t kPage = 4096, kMiB = UINT64_C(1) << 20;

void check(qiao_status status) {
    if (status == QIAO_OK) return;
    std::fprintf(stderr, "%s\n%s\n", qiao::last_error().message.c_str(), qiao::last_error().remedy.c_str());
    std::exit(1);
}

// All of it written and taken once, so that it is there.
std::unique_ptr<HostView> make(uint64_t size_bytes, Tracking tracking) {
    std::unique_ptr<HostView> view;
    check(HostView::create(size_bytes, 1, tracking, view));
    std::memset(view->app(), 1, size_bytes);
    std::vector<Run> runs;
    check(view->take(0, size_bytes, true, runs));
    return view;
}

void nothing_written(benchmark::State& state, Tracking tracking) {
    const uint64_t size = static_cast<uint64_t>(state.range(0)) * kMiB;
    const auto view = make(size, tracking);
    std::vector<Run> runs;
    for (auto _ : state) check(view->take(0, size, false, runs));
    if (!runs.empty()) state.SkipWithError("something was found");
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * size));
}

// A store to so many of 1,000 pages, at random, and the take that finds them.
void written(benchmark::State& state, Tracking tracking, uint64_t size, uint64_t per_mille) {
    const auto view = make(size, tracking);
    std::minstd_rand random(1);
    std::vector<Run> runs;
    std::vector<uint64_t> pages(size / kPage * per_mille / 1000);
    uint64_t value = UINT64_C(1) << 32, taken_bytes = 0;
    for (auto _ : state) {
        state.PauseTiming();
        for (uint64_t& page : pages) page = random() % (size / kPage);
        state.ResumeTiming();
        ++value;
        for (const uint64_t page : pages) *reinterpret_cast<volatile uint64_t*>(view->app() + page * kPage) = value;
        check(view->take(0, size, false, runs));
        state.PauseTiming();
        taken_bytes = 0;
        for (const Run& run : runs) taken_bytes += run.size_bytes;
        state.ResumeTiming();
    }
    using benchmark::Counter;
    state.counters["per_page"] = Counter(static_cast<double>(state.iterations() * pages.size()), Counter::kIsRate | Counter::kInvert);
    state.counters["moved_percent"] = 100.0 * static_cast<double>(taken_bytes) / static_cast<double>(size);
}

// The same stores to memory that nobody watches, for comparison.
void written_untracked(benchmark::State& state) { written(state, Tracking::kFull, 256 * kMiB, 10); }
BENCHMARK(written_untracked)->Unit(benchmark::kMicrosecond);

// A dense writer between takes, as an application that fills the whole of it each time.
void filled(benchmark::State& state, Tracking tracking) {
    constexpr uint64_t kSize = 64 * kMiB;
    const auto view = make(kSize, tracking);
    std::vector<Run> runs;
    int value = 0;
    for (auto _ : state) {
        std::memset(view->app(), ++value, kSize);
        check(view->take(0, kSize, false, runs));
    }
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kSize));
}

void register_all(Tracking tracking) {
    const std::string name = tracking_name(tracking);
    for (const int64_t mib : {1, 8, 64, 256})
        benchmark::RegisterBenchmark((name + "/nothing_written_MiB").c_str(), nothing_written, tracking)->Arg(mib)->Unit(benchmark::kMicrosecond);
    const auto one_percent = [tracking](benchmark::State& state) { written(state, tracking, 256 * kMiB, 10); };
    benchmark::RegisterBenchmark((name + "/written_1_percent_of_256_MiB").c_str(), one_percent)->Unit(benchmark::kMicrosecond);
    const auto tenth = [tracking](benchmark::State& state) { written(state, tracking, 8 * kMiB, 100); };
    benchmark::RegisterBenchmark((name + "/written_10_percent_of_8_MiB").c_str(), tenth)->Unit(benchmark::kMicrosecond);
    benchmark::RegisterBenchmark((name + "/filled_64_MiB").c_str(), filled, tracking)->Unit(benchmark::kMicrosecond);
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    qiao::TrackingChoice choice;
    check(qiao::choose_tracking(choice));
    if (choice.tracking == Tracking::kScan) {
        register_all(Tracking::kScan);
    } else {
        std::fprintf(stderr, "without scan: %s\n", choice.reason.c_str());
    }
    register_all(Tracking::kCompare);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
