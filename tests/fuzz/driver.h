/* What a fuzz target gives the driver. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

/* libFuzzer's entry: must survive any input, returns 0. */
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

/* Valid inputs to start from, and how to make a mutated one pass the outer checks (checksums), so that mutations reach what
 * is behind them. */
std::vector<std::vector<uint8_t>> fuzz_seeds();
void fuzz_repair(std::vector<uint8_t>& input);
