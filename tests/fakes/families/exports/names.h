/* The names of a library: FAKE_PREFIX and what stands behind it. Everything else stays inside: the version script says so. */
#pragma once

#define FAKE_JOIN_(prefix, name) prefix##name
#define FAKE_JOIN(prefix, name) FAKE_JOIN_(prefix, name)
#define FN(name) FAKE_JOIN(FAKE_PREFIX, name)
