/* What the fixture plugins share: reading their own manifest (so that one library serves many ids), and reporting through
 * the host table. The manifest was parsed by the loader: what is looked for here stands in it once and well-formed. */
#ifndef QIAO_TESTS_FIXTURE_H
#define QIAO_TESTS_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "qiao/plugin.h"

/* The value of a key with its quotes, as in "\"x-devices\"", or null. */
static inline const char* fixture_value(const qiao_host_api* host, const char* quoted_key) {
    const char* at = host->manifest_json != NULL ? strstr(host->manifest_json, quoted_key) : NULL;
    if (at == NULL) return NULL;
    at += strlen(quoted_key);
    return at + strspn(at, " \t\r\n:");
}

static inline uint32_t fixture_number(const qiao_host_api* host, const char* quoted_key, uint32_t otherwise) {
    const char* at = fixture_value(host, quoted_key);
    return at == NULL ? otherwise : (uint32_t)strtoul(at, NULL, 10);
}

/* The manifest's id, or `otherwise`. */
static inline void fixture_id(const qiao_host_api* host, char* target, size_t size, const char* otherwise) {
    const char* at = fixture_value(host, "\"id\"");
    size_t length = at != NULL && *at == '"' ? strcspn(at + 1, "\"") : 0;
    if (length == 0 || length >= size) {
        strncpy(target, otherwise, size - 1);
        target[size - 1] = '\0';
        return;
    }
    memcpy(target, at + 1, length);
    target[length] = '\0';
}

static inline qiao_status fixture_fail(const qiao_host_api* host, qiao_status status, const char* message,
                                       const char* remedy) {
    qiao_plugin_error error = {0};
    error.struct_size = sizeof(error);
    error.status = status;
    error.message = message;
    error.remedy = remedy;
    host->error(host->host, &error);
    return status;
}

#endif
