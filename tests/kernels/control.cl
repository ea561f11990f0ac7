// Ways through a program: loops, branches, functions, tables, private memory.
constant int kPrimes[8] = {2, 3, 5, 7, 11, 13, 17, 19};

kernel void table(global int* out) {
    size_t i = get_global_id(0);
    out[i] = kPrimes[i % 8] * 10 + kPrimes[(i + 3) % 8];
}

kernel void constant_argument(constant int* weights, global const int* in, global int* out) {
    size_t i = get_global_id(0);
    out[i] = in[i] * weights[i % 4];
}

kernel void branches(global const int* in, global int* out) {
    size_t i = get_global_id(0);
    int result = 0;
    switch (in[i] & 7) {
        case 0: result = 10; break;
        case 1: result = 20; // falls through
        case 2: result += 1; break;
        case 5: result = in[i] > 8 ? -1 : -2; break;
        default: result = in[i];
    }
    out[i] = result;
}

kernel void collatz(global const uint* in, global uint* steps) {
    uint n = in[get_global_id(0)], count = 0;
    while (n != 1) {
        n = n % 2 == 0 ? n / 2 : 3 * n + 1;
        ++count;
    }
    steps[get_global_id(0)] = count;
}

uint gcd(uint a, uint b) {
    while (b != 0) {
        uint rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

kernel void common_divisors(global const uint* a, global const uint* b, global uint* out) {
    size_t i = get_global_id(0);
    out[i] = gcd(a[i], b[i]);
}

kernel void primes(global uint* flags) {
    uint n = get_global_id(0);
    uint prime = n >= 2;
    for (uint d = 2; d * d <= n; ++d) {
        if (n % d != 0) continue;
        prime = 0;
        break;
    }
    flags[n] = prime;
}

void insert(int* sorted, int count, int value) {
    int at = count;
    for (; at > 0 && sorted[at - 1] > value; --at) sorted[at] = sorted[at - 1];
    sorted[at] = value;
}

kernel void median(global const int* in, global int* out) {
    size_t i = get_global_id(0);
    int window[9];
    for (int k = 0; k < 9; ++k) insert(window, k, in[i * 9 + k]);
    out[i] = window[4];
}

kernel void crc(global const uchar* in, global uint* out, uint length) {
    size_t i = get_global_id(0);
    uint crc = 0xffffffffu;
    for (uint k = 0; k < length; ++k) {
        crc ^= in[i * length + k];
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 1u) != 0 ? (crc >> 1) ^ 0xedb88320u : crc >> 1;
    }
    out[i] = ~crc;
}

kernel void escape(global int* counts, int width, int limit) {
    int x = get_global_id(0), y = get_global_id(1);
    // In sixteenths, so that every machine gets the same integers.
    int cr = x * 3 - 32, ci = y * 2 - 16, zr = 0, zi = 0, n = 0;
    while (n < limit && zr * zr + zi * zi < 1024) {
        int next = (zr * zr - zi * zi) / 16 + cr;
        zi = 2 * zr * zi / 16 + ci;
        zr = next;
        ++n;
    }
    counts[y * width + x] = n;
}
