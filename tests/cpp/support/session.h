/* What every case starts with: an instance with the device that QIAO_TEST_DEVICE selects. Cases use qiao/qiao.hpp and this,
 * and the C interface only to see what the layer did. */
#pragma once

#include <doctest/doctest.h>
#include <qiao/qiao.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace cpp {

using namespace std::chrono_literals;

// No wait of the tests needs this long; one that would hang ends as a failure.
inline constexpr std::chrono::nanoseconds kPatience = 60s;
// A wait that must run out.
inline constexpr std::chrono::nanoseconds kMoment = 2ms;

using AddKernel = qiao::TypedKernel<qiao::Address<const uint32_t>, qiao::Address<const uint32_t>, qiao::Address<uint32_t>>;

// Only the folders that ctest names are searched.
qiao::InstanceOptions options();
const char* selector();

struct Session {
    qiao::Instance instance{options()};
    qiao::Device device = instance.find_device(selector());

    // The kernels of tests/api/support/kernels.h that the device runs; one program, so that it is compiled once.
    static qiao::Program program_for(qiao::Device device);
    qiao::Program program() const { return program_for(device); }
    AddKernel add(const qiao::Program& program) const { return AddKernel(program.kernel("add")); }
};

// Waits with patience.
void wait_for(const qiao::Point& point);

// The numbers first, first + 1, ...
std::vector<uint32_t> numbers(size_t count, uint32_t first = 0);

// The error that the function throws; the case fails if it throws none of that class.
template <class Expected = qiao::Error, class Function>
qiao::ErrorRecord record_of(Function&& function) {
    try {
        function();
    } catch (const Expected& error) {
        return error.record();
    }
    FAIL("nothing was thrown");
    return {};
}

inline bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace cpp
