// Linked into the Vulkan plugin of sanitizer builds. lavapipe keeps 128 bytes of each instance, and leaks are looked for when the
// Vulkan loader has unloaded it: only if it stays can tests/lsan.supp tell them from ours by its name.
#include <dlfcn.h>

[[gnu::constructor]] static void keep_lavapipe() {
    static_cast<void>(dlopen("libvulkan_lvp.so", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE));
}
