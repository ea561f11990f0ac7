/* Pairs outputs; the arithmetic is in array/difference.cpp. */
#include "cli/run/comparison.h"

#include <algorithm>

namespace qiao::cli {
namespace {

const Output* find_output(const DeviceRun& run, size_t argument) {
    const auto found = std::find_if(run.outputs.begin(), run.outputs.end(),
                                    [&](const Output& output) { return output.argument == argument; });
    return found == run.outputs.end() ? nullptr : &*found;
}

Comparison compare_output(const DeviceRun& run, const Output& output, const std::string& against, const Array& other,
                          const Tolerance& tolerance) {
    const Array& array = output.array;
    if (array.element != other.element || array.bytes.size() != other.bytes.size()) {
        throw Failure(kExitUsage, text("argument '", output.name, "': ", type_text(array.element, array.shape), " on ",
                                       run.device.id, " cannot be compared with ",
                                       type_text(other.element, other.shape), " of ", against));
    }
    return {output.name, run.device.id, against, array.element, array.shape, compare_arrays(array, other, tolerance)};
}

} // namespace

std::vector<Comparison> compare_devices(const std::vector<DeviceRun>& runs, const Tolerance& tolerance) {
    std::vector<Comparison> comparisons;
    const auto first = std::find_if(runs.begin(), runs.end(), [](const DeviceRun& run) { return !run.failure; });
    if (first == runs.end()) return comparisons;
    for (const Output& expected : first->outputs) {
        for (auto run = first + 1; run != runs.end(); ++run) {
            const Output* output = run->failure ? nullptr : find_output(*run, expected.argument);
            if (output == nullptr) continue;
            comparisons.push_back(compare_output(*run, *output, first->device.id, expected.array, tolerance));
        }
    }
    return comparisons;
}

std::vector<Comparison> compare_references(const std::vector<DeviceRun>& runs, const std::vector<KeyedSpec>& references,
                                           const Tolerance& tolerance) {
    std::vector<Comparison> comparisons;
    for (const KeyedSpec& reference : references) {
        const std::string what = "--reference " + reference.key;
        const Spec spec = parse_spec(reference.value, what);
        if (!is_array_spec(spec)) throw Failure(kExitUsage, what + ": '" + reference.value + "' is not an array");
        for (const DeviceRun& run : runs) {
            if (run.failure) continue;
            const Output* output = find_output(run, find_parameter(run.signature, reference.key));
            if (output == nullptr) throw Failure(kExitUsage, what + ": the kernel does not write this argument");
            const Array expected = load_array(spec, run.device.id, what);
            comparisons.push_back(compare_output(run, *output, reference.value, expected, tolerance));
        }
    }
    return comparisons;
}

} // namespace qiao::cli
