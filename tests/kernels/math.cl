// Built-in functions of mathematics; those that are not exact have a tolerance in the table of cases.
kernel void exact(global const float* x, global float* roots, global float* floors, global float* rounds, global float* sizes) {
    size_t i = get_global_id(0);
    roots[i] = sqrt(fabs(x[i]));
    floors[i] = floor(x[i]);
    rounds[i] = rint(x[i]);
    sizes[i] = fabs(x[i]);
}

kernel void waves(global const float* x, global float* sines, global float* cosines, global float* tangents) {
    size_t i = get_global_id(0);
    sines[i] = sin(x[i]);
    cosines[i] = cos(x[i]);
    tangents[i] = atan2(x[i], 2.0f);
}

kernel void growth(global const float* x, global float* powers, global float* logs, global float* exps) {
    size_t i = get_global_id(0);
    powers[i] = pow(x[i], 1.5f);
    logs[i] = log(x[i]);
    exps[i] = exp(-x[i]);
}

kernel void blend(global const float* x, global float* out) {
    size_t i = get_global_id(0);
    out[i] = mix(10.0f, 20.0f, clamp(x[i], 0.0f, 1.0f)) + step(0.5f, x[i]) + fmin(x[i], 0.0f) + fmax(x[i], 1.0f);
}

kernel void classes(global const float* x, global int* out) {
    size_t i = get_global_id(0);
    out[i] = (isnan(x[i]) != 0) + 2 * (isinf(x[i]) != 0) + 4 * (signbit(x[i]) != 0);
}

kernel void double_waves(global const double* x, global double* out) {
    size_t i = get_global_id(0);
    out[i] = sin(x[i]) * sqrt(x[i]);
}

kernel void packed(global const half* in, global float* out) {
    size_t i = get_global_id(0);
    out[i] = vload_half(i, in) * 2.0f;
}
