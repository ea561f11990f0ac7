"""Cases that a device cannot run, each with the reason, looked up as (device, case). Each must fail: one that passes is an error here, since
its reason is gone. UNSTABLE ones fail at times only, and are not run."""

FAILS = {
    ("vulkan", "large_value"): "clspv declares the argument block in a uniform buffer with an array of stride 4, which spirv-val refuses",
}

UNSTABLE = {
    ("vulkan", "add_float"): "lavapipe 22.3.6 loses updates of a compare-and-swap loop if a work-group has several subgroups",
}
