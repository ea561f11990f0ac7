// Times of loading a package from a file and getting a kernel of it: load_times DEVICE PACKAGE KERNEL [ROUNDS]. The first load is
// left out, so files and caches are warm. Printed, never judged.
#include <qiao/qiao.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

void check(qiao_status status, const char* what) {
    if (status == QIAO_OK) return;
    qiao_error error = QIAO_ERROR_INIT;
    qiao_error_query(&error);
    std::fprintf(stderr, "%s: %s\n", what, error.message);
    std::exit(1);
}

double load_once(qiao_device* device, const char* package, const char* name) {
    const auto start = std::chrono::steady_clock::now();
    qiao_program* program = nullptr;
    qiao_kernel* kernel = nullptr;
    check(qiao_program_create_from_package_file(device, package, &program), "loading");
    check(qiao_program_get_kernel(program, name, &kernel), "getting the kernel");
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
    check(qiao_program_release(program), "releasing");
    return took.count();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fprintf(stderr, "load_times DEVICE PACKAGE KERNEL [ROUNDS]\n");
        return 2;
    }
    const int rounds = argc > 4 ? std::max(1, std::atoi(argv[4])) : 200;
    qiao_instance* instance = nullptr;
    qiao_device* device = nullptr;
    check(qiao_instance_create(nullptr, &instance), "instance");
    check(qiao_instance_find_device(instance, argv[1], &device), "device");
    load_once(device, argv[2], argv[3]);
    std::vector<double> times;
    for (int round = 0; round < rounds; ++round) times.push_back(load_once(device, argv[2], argv[3]));
    std::sort(times.begin(), times.end());
    std::printf("%s: load + get kernel: p10 %.1f us, median %.1f us, p90 %.1f us (%d rounds)\n", argv[1], times[times.size() / 10],
                times[times.size() / 2], times[times.size() * 9 / 10], rounds);
    check(qiao_instance_release(instance), "instance");
}
