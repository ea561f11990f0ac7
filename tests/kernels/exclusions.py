"""Cases that a device cannot run, each with the reason, looked up as (device, case). Each must fail: one that passes is an error here, since
its reason is gone. UNSTABLE ones fail at times only, and are not run."""

FAILS = {
    ("lint", "swizzle"): "oclgrind 21.10 crashes while it runs the kernel, on the device's side",
    ("vulkan", "double_waves"): "the sine of a double, as clspv writes it, is 0 or a denormal on lavapipe 22.3.6; square roots are right",
    ("vulkan", "stencil"): "lavapipe 22.3.6 crashes in its compiled code for `x > 0 ? in[x - 1] : 0`; with clamped indices it does not",
}

UNSTABLE = {
    ("vulkan", "add_float"): "lavapipe 22.3.6 loses updates of a compare-and-swap loop if a work-group has several subgroups",
}
