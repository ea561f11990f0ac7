"""Cases that a device cannot run, each with the reason, looked up as (device, case). Each must fail: one that passes is an error here, since
its reason is gone. UNSTABLE ones fail at times only, and are not run."""

FAILS = {
    ("lint", "swizzle"): "oclgrind 21.10 crashes while it runs the kernel",
    ("vulkan", "double_waves"): "the sine of a double is 0 or a denormal with pyclspv 0.0.1 and lavapipe 22.3.6 (which of them errs is not known); square roots are right",
    ("vulkan", "print_threes"): "clspv 0.0.1 aborts on a char3 that is printed, and writes the next argument over a short3: such variants are left out",
}

UNSTABLE = {
    ("vulkan", "add_float"): "lavapipe 22.3.6 loses updates of a compare-and-swap loop if a work-group has several subgroups",
}
