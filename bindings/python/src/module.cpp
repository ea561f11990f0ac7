/* The extension module qiao._native; what users see of it is said in qiao/__init__.py. */
#include "binding.h"

PYBIND11_MODULE(_native, module) {
    using namespace qiao::python;
    bind_errors(module);
    bind_timeline(module);
    bind_queue(module);
    bind_array(module);
    bind_pool(module);
    bind_kernel(module);
    bind_device(module);
    bind_dlpack(module);
    bind_topology(module);
    bind_instance(module);
    bind_sharing(module);
}
