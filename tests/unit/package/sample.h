/* Packages that the tests of the package room start from. */
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "craft.h"

namespace sample {

inline qiao::package::Kernel scale() {
    qiao::package::Kernel kernel;
    kernel.name = "scale";
    kernel.arguments = {address("x", QIAO_ACCESS_READ), local("buffer"), value("n", "int", 4),
                        value("v", "float4", 16)};
    kernel.required_group[0] = 64;
    kernel.required_group[1] = kernel.required_group[2] = 1;
    kernel.static_local_bytes = 256;
    kernel.features = QIAO_FEATURE_FP64 | QIAO_FEATURE_PRINTF;
    auto laid_out = qiao::package::lay_out(std::move(kernel));
    REQUIRE(laid_out);
    return *std::move(laid_out);
}

inline qiao::package::Kernel nothing() {
    qiao::package::Kernel kernel;
    kernel.name = "nothing";
    return kernel;
}

inline const std::string kSource = "kernel void scale(...) {}\nkernel void nothing() {}\n";

inline qiao::package::Writer writer() {
    qiao::package::Writer made;
    made.set_source("kernels/scale.cl", kSource, "-cl-std=CL1.2");
    made.add_kernel(scale());
    made.add_kernel(nothing());
    made.add_source_variant(QIAO_FEATURE_FP64);
    for (const char* target : {"x86_64-v2", "x86_64-v3"}) {
        qiao::package::Variant variant;
        variant.format = "host-elf";
        variant.target = target;
        variant.tool = "pocl-3.1 clang-15.0.6";
        variant.metadata = {"auto_local=256;private=16;fixed=0", ""};
        made.add_variant(variant, bytes_of(std::string("the code for ") + target));
    }
    return made;
}

inline Bytes package() {
    auto bytes = writer().finish();
    REQUIRE(bytes);
    return *std::move(bytes);
}

} // namespace sample
