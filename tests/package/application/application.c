/* Says the library's version and the devices it finds, one id a line; also what is installed besides qiao.h compiles. */
#include <qiao/compiler.h>
#include <qiao/plugin.h>
#include <qiao/qiao.h>
#include <stdio.h>

int main(void) {
    uint32_t major = 0, minor = 0, patch = 0, count = 0, index = 0;
    qiao_instance* instance = NULL;
    qiao_device* devices[64];
    qiao_query_version(&major, &minor, &patch);
    printf("version %u.%u.%u\n", major, minor, patch);
    if (qiao_instance_create(NULL, &instance) != QIAO_OK) return 1;
    if (qiao_instance_enumerate_devices(instance, 64, devices, &count) != QIAO_OK) return 1;
    for (; index < count && index < 64; ++index) {
        qiao_device_properties properties = QIAO_DEVICE_PROPERTIES_INIT;
        if (qiao_device_query_properties(devices[index], &properties) != QIAO_OK) return 1;
        printf("%s\n", properties.id);
    }
    return qiao_instance_release(instance) == QIAO_OK ? 0 : 1;
}
