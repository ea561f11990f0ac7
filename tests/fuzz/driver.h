/* What a fuzz target gives the driver. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

/* libFuzzer's entry: must survive any input, returns 0. */
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

/* Makes a mutated input pass the outer checks (checksums), so that mutations reach what is behind them. */
void fuzz_repair(std::vector<uint8_t>& input);
