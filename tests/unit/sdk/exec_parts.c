/* The inner files of the plugin exec, for test_exec.c. */
#define SLUICE_STATIC
#include "../../../plugins/exec/child.c"
