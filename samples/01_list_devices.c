/* Lists the devices, and for plugins that cannot be used the reason and the remedy. */
#include "common.h"

static void print_device(qiao_device* device) {
    qiao_device_properties properties = QIAO_DEVICE_PROPERTIES_INIT;
    CHECK(qiao_device_query_properties(device, &properties));
    printf("%-10s %s (%s)\n", properties.id, properties.name, properties.driver);
    printf("           %.1f GiB, %u compute units, groups of at most %u, %u KiB local memory\n",
           (double)properties.memory_bytes / (1024.0 * 1024.0 * 1024.0), properties.compute_units,
           properties.max_group_size, properties.local_memory_bytes / 1024);
    if ((properties.flags & QIAO_DEVICE_SIMULATED) != 0) printf("           simulated: %s\n", properties.note);
}

int main(void) {
    qiao_instance* instance = NULL;
    qiao_device* devices[64];
    uint32_t count = 0;
    uint32_t i;

    CHECK(qiao_instance_create(NULL, &instance));
    CHECK(qiao_instance_enumerate_devices(instance, 64, devices, &count));
    for (i = 0; i < count && i < 64; ++i)
        print_device(devices[i]);
    printf("devices: %u\n", count);

    for (i = 0;; ++i) {
        qiao_candidate candidate = QIAO_CANDIDATE_INIT;
        qiao_status status = qiao_instance_query_candidate(instance, i, &candidate);
        if (status == QIAO_ERROR_NOT_FOUND) break; /* the end of the ledger */
        CHECK(status);
        if (candidate.state == QIAO_CANDIDATE_STATE_USABLE) continue;
        printf("%s: %s\n", candidate.manifest, candidate.reason);
        if (*candidate.remedy != '\0') printf("  try: %s\n", candidate.remedy);
    }
    CHECK(qiao_instance_release(instance));
    return 0;
}
