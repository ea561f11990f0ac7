/* Comparing what devices wrote: with each other, and with arrays that the user holds for right. */
#pragma once

#include <string>
#include <vector>

#include "cli/array/difference.h"
#include "cli/run/plan.h"

namespace qiao::cli {

struct Comparison {
    std::string argument;
    std::string device;
    std::string against; /* a device's id, or the SPEC of the reference */
    Element element = Element::U8;
    Shape shape;
    Difference difference;

    bool equal_enough() const { return difference.beyond == 0; }
};

/* Every output of each device with the same one of the first device. Failed runs are left out. */
std::vector<Comparison> compare_devices(const std::vector<DeviceRun>& runs, const Tolerance& tolerance);

/* `references` name outputs; throws Failure if one is no output of the kernel or of another type or size. */
std::vector<Comparison> compare_references(const std::vector<DeviceRun>& runs, const std::vector<KeyedSpec>& references,
                                           const Tolerance& tolerance);

} // namespace qiao::cli
