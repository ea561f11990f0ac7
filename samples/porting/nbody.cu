// Bodies that attract each other, one step. The tile of bodies that all threads of a block look at is in shared memory.

#define TILE 64

extern "C" __global__ void nbody_step(const float4* from, float4* to, float4* velocity, int count, float dt) {
    __shared__ float4 tile[TILE];
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const float4 me = from[i];
    float3 force = make_float3(0, 0, 0);
    for (int first = 0; first < count; first += TILE) {
        tile[threadIdx.x] = from[first + threadIdx.x];
        __syncthreads();
        for (int j = 0; j < TILE; ++j) {
            const float x = tile[j].x - me.x, y = tile[j].y - me.y, z = tile[j].z - me.z;
            const float close = rsqrtf(x * x + y * y + z * z + 1e-2f);
            const float pull = tile[j].w * close * close * close;
            force.x += pull * x;
            force.y += pull * y;
            force.z += pull * z;
        }
        __syncthreads();
    }
    float4 v = velocity[i];
    v.x += dt * force.x;
    v.y += dt * force.y;
    v.z += dt * force.z;
    velocity[i] = v;
    to[i] = make_float4(me.x + dt * v.x, me.y + dt * v.y, me.z + dt * v.z, me.w);
}
