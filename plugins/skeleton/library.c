/* The vendor's library: opened where devices are first looked for, so that where it is missing the plugin can say so; closed with
 * the plugin. Its functions stand in one list, SKELETON_FUNCTIONS in skeleton.h. */
#include <dlfcn.h>
#include <string.h>

#include "skeleton.h"

/* The name that programs link with, not a path: the system knows where it is. */
#define LIBRARY_NAME "libskeleton.so.1"

static const char* load_functions(skeleton_library* library) {
    void* symbol = NULL;
#define LOAD(result, name, arguments)        \
    symbol = dlsym(library->handle, #name);  \
    if (symbol == NULL) return #name;        \
    memcpy(&library->name, &symbol, sizeof(symbol));
    SKELETON_FUNCTIONS(LOAD)
#undef LOAD
    return NULL;
}

int skeleton_library_open(skeleton_plugin* plugin) {
    skeleton_library* library = &plugin->library;
    const char* missing = NULL;
    if (library->handle != NULL) return 1;
    library->handle = dlopen(LIBRARY_NAME, RTLD_NOW | RTLD_LOCAL);
    if (library->handle == NULL) {
        skeleton_fail(plugin, QIAO_ERROR_NOT_FOUND, 0, dlerror(), LIBRARY_NAME " cannot be opened",
                      "put the name of the vendor's library into library.c, and write device_count and device_query in device.c");
        return 0;
    }
    missing = load_functions(library);
    if (missing == NULL) return 1;
    skeleton_library_close(library);
    skeleton_fail(plugin, QIAO_ERROR_NOT_FOUND, 0, missing, LIBRARY_NAME " lacks a function", "install the release of it that has the function");
    return 0;
}

void skeleton_library_close(skeleton_library* library) {
    if (library->handle != NULL) dlclose(library->handle);
    library->handle = NULL;
}
