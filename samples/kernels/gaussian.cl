// A Gaussian filter in two passes, first along the rows, then along the columns: 2 * (2r + 1) instead of (2r + 1)^2 taps.
// Pixels have `channels` values; beyond the border the nearest pixel counts. weights[0] is the middle, weights[r] the end.

kernel void gaussian_rows(global const uchar* input, global float* output, constant float* weights, int radius, int width,
                          int channels) {
    const int x = get_global_id(0);
    const int row = get_global_id(1) * width;
    const int channel = get_global_id(2);
    float sum = weights[0] * input[(row + x) * channels + channel];
    for (int i = 1; i <= radius; ++i) {
        const int left = row + max(x - i, 0);
        const int right = row + min(x + i, width - 1);
        sum += weights[i] * (input[left * channels + channel] + input[right * channels + channel]);
    }
    output[(row + x) * channels + channel] = sum;
}

kernel void gaussian_columns(global const float* input, global uchar* output, constant float* weights, int radius,
                             int height, int channels) {
    const int x = get_global_id(0);
    const int y = get_global_id(1);
    const int channel = get_global_id(2);
    const int width = get_global_size(0);
    float sum = weights[0] * input[(y * width + x) * channels + channel];
    for (int i = 1; i <= radius; ++i) {
        const int above = max(y - i, 0) * width + x;
        const int below = min(y + i, height - 1) * width + x;
        sum += weights[i] * (input[above * channels + channel] + input[below * channels + channel]);
    }
    output[(y * width + x) * channels + channel] = convert_uchar_sat_rte(sum);
}
