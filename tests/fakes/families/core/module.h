/* Modules, functions and launches. */
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/device.h"

namespace fakes {

/* `size` is what the caller says; 0 = the image says it itself. */
void module_load(void** out_module, const void* image, size_t size);
/* Options are CUDA's: only the two log buffers are looked at. */
void module_load_with_options(void** out_module, const void* image, unsigned count, const int* options, void* const* values);
void module_unload(void* module);
void module_function(void** out_function, void* module, const char* name);
void module_global(uint64_t* out_address, size_t* out_size, void* module, const char* name);

/* CUDA's numbers of function attributes. */
void function_attribute(int* out_value, int attribute, void* function);
void function_set_attribute(void* function, int attribute, int value);

struct Grid {
    unsigned groups[3];
    unsigned group[3];
    unsigned shared_bytes;
    void* stream;
};
void launch(void* function, const Grid& grid, void* const* parameters, void* const* extra);

void forget_modules_of(const Device& device);

} // namespace fakes
