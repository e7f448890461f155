/* conformance: what every backend of the store must do. A backend's test file makes one test of each
 * case: #define CASE(name) Test(store_X, name) { conformance_##name("X"); }
 * Every case runs in a process of its own. */
#pragma once

#define CASE(name) void conformance_##name(const char *backend);
#include "conformance.def"
#undef CASE
