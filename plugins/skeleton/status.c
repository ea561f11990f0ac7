/* The one place that turns what went wrong into what the core and the user are told. Put the function that translates the
 * vendor's codes here. */
#include <stdio.h>

#include "skeleton.h"

qiao_status skeleton_fail(const skeleton_plugin* plugin, qiao_status status, int64_t vendor_code, const char* vendor_text,
                          const char* message, const char* remedy) {
    const qiao_host_api* host = plugin->host;
    qiao_plugin_error error = {0};
    error.struct_size = sizeof(error);
    error.status = status;
    error.vendor_code = vendor_code;
    error.vendor_text = vendor_text;
    error.message = message;
    error.remedy = remedy;
    host->error(host->host, &error);
    return status;
}

qiao_status skeleton_unsupported(const skeleton_plugin* plugin, const char* slot) {
    char message[128];
    snprintf(message, sizeof(message), "%s is not written yet", slot);
    return skeleton_fail(plugin, QIAO_ERROR_UNSUPPORTED, 0, NULL, message, "write it as the plugin guide says, section 3");
}
