// Bodies that attract each other, one step. The tile of bodies that all threads of a block look at is in shared memory.

#define TILE 64

kernel void nbody_step(global const float4* from, global float4* to, global float4* velocity, int count, float dt) {
    local float4 tile[TILE];
    const int i = get_global_id(0);
    const float4 me = from[i];
    float3 force = (float3)(0, 0, 0);
    for (int first = 0; first < count; first += TILE) {
        tile[get_local_id(0)] = from[first + get_local_id(0)];
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int j = 0; j < TILE; ++j) {
            const float x = tile[j].x - me.x, y = tile[j].y - me.y, z = tile[j].z - me.z;
            const float close = rsqrt(x * x + y * y + z * z + 1e-2f);
            const float pull = tile[j].w * close * close * close;
            force.x += pull * x;
            force.y += pull * y;
            force.z += pull * z;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    float4 v = velocity[i];
    v.x += dt * force.x;
    v.y += dt * force.y;
    v.z += dt * force.z;
    velocity[i] = v;
    to[i] = (float4)(me.x + dt * v.x, me.y + dt * v.y, me.z + dt * v.z, me.w);
}
