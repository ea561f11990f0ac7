// What kernels print, formatted as OpenCL C has it.
void say(int i) {
    printf("%d: |%5d|%-5d|%05d|%+d|\n", i, i, i, i, i);
}

kernel void print_integers(global const int* in) {
    int i = get_global_id(0);
    say(in[i]);
    printf("%u %x %#X %o %hhd %hd\n", (uint)in[i], in[i], in[i], in[i], (char)in[i], (short)in[i]);
    printf("%ld %lx\n", (long)in[i] * 4294967296L, (long)in[i]);
}

kernel void print_floats(global const float* in) {
    float x = in[get_global_id(0)];
    printf("%f %.2f %8.1f %e\n", x, x, x, x);
}

kernel void print_vectors(global const int* in) {
    int i = get_global_id(0);
    int4 v = vload4(i, in);
    printf("%v4hld|%v2hlx|%v4hhd|%v4hd\n", v, convert_uint2(v.xy & 255), convert_char4(v), convert_short4(v));
    printf("%v3hld|%v3hlf\n", v.xyz, convert_float3(v.xyz));
    printf("%v2hlf|%4.1v4hlf\n", convert_float2(v.xy) * 0.5f, convert_float4(v));
    printf("%v2ld\n", convert_long2(v.zw) * 4294967296L);
}

#ifdef THREES
kernel void print_threes(global const int* in) {
    int4 v = vload4(get_global_id(0), in);
    printf("%v3hhd|%v3hd\n", convert_char3(v.xyz), convert_short3(v.xyz));
}
#endif

kernel void print_text(global int* out) {
    int i = get_global_id(0);
    printf("%c%c %s %6s %% percent\n", 'a' + i, 'A' + i, "text", "more");
    if (i == 2) {
        printf("in ");
        printf("pieces\n");
    }
    out[i] = 3 * i;
}
