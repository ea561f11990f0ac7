// Structures by value and in memory, and argument blocks of every size.
struct params {
    int first;
    float factor;
    char tag;
    long wide;
    short list[3];
};

kernel void by_value(struct params p, global long* out) {
    out[0] = p.first;
    out[1] = (long)p.factor;
    out[2] = p.tag;
    out[3] = p.wide;
    out[4] = p.list[0] + p.list[1] * 10 + p.list[2] * 100;
}

typedef struct {
    float4 position;
    int id;
} body;

kernel void move(global body* bodies, float4 by) {
    size_t i = get_global_id(0);
    bodies[i].position += by;
    bodies[i].id = -bodies[i].id;
}

struct inner {
    uchar low, high;
};
struct outer {
    struct inner parts[2];
    uint word;
};

kernel void nested(global const struct outer* in, global uint* out) {
    size_t i = get_global_id(0);
    struct outer copy = in[i];
    out[i] = copy.parts[0].low + copy.parts[0].high * 256u + copy.parts[1].low * 65536u + copy.parts[1].high * 16777216u + copy.word;
}

// 18 addresses and two values: more than the 128 bytes that push constants surely have.
kernel void many_arguments(global const int* a0, global const int* a1, global const int* a2, global const int* a3, global const int* a4,
                           global const int* a5, global const int* a6, global const int* a7, global const int* a8, global const int* a9,
                           global const int* a10, global const int* a11, global const int* a12, global const int* a13, global const int* a14,
                           global const int* a15, global const int* a16, int last, global int* out, short factor) {
    size_t i = get_global_id(0);
    out[i] = (a0[i] + a1[i] + a2[i] + a3[i] + a4[i] + a5[i] + a6[i] + a7[i] + a8[i] + a9[i] + a10[i] + a11[i] + a12[i] + a13[i] + a14[i] +
              a15[i] + a16[i] + last) * factor;
}

kernel void small_values(char c, uchar uc, short s, ushort us, long l, double d, global double* out) {
    out[0] = c;
    out[1] = uc;
    out[2] = s;
    out[3] = us;
    out[4] = l;
    out[5] = d;
}
