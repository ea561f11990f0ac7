// What tests tell shim.cpp, and ask it. The functions are the shim library's; tests find them with dlsym.
#pragma once

#include <cstdint>

extern "C" {
// What is taken away or goes wrong from now on; words with commas between:
//   no_addresses   the feature bufferDeviceAddress
//   uncached       HOST_CACHED of all memory: the host must not read what it maps
//   uncalibrated   the extension VK_EXT_calibrated_timestamps
//   families       instead of the one family there are three: with graphics, one that computes, one that only copies
//   fail:NAME:CODE that function returns that VkResult, without being called
void qiao_test_shim_become(const char* words);
// Since then, with "families": submissions to the queues of a family, and what a driver with several families would not bear.
uint32_t qiao_test_shim_submissions(uint32_t family);
uint32_t qiao_test_shim_mistakes();
// How often the function that fails was asked for, and how often one of those that can fail was called.
uint32_t qiao_test_shim_failures();
uint32_t qiao_test_shim_calls(const char* name);
}
