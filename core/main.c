/* sluice: the program. What it does stands in cli/, one file a command: `run` reads the
 * configuration, opens the plugins, creates the host (host.h), which wires the stages together,
 * runs it until all tasks have ended, and says what happened. */
#include <string.h>
#include <sys/prctl.h>

#include "cli/command.h"
#include "cli/lifeline.h"
#include "cli/monitor.h"
#include "cli/output.h"
#include "cli/roles.h"

int main(int argc, char **argv)
{
    int code;

    if (roles_run(argc, argv, &code))
        return code;
    output_open();
    if (argc > 0 && strcmp(argv[0], MONITOR_HOST_NAME) == 0) {
        prctl(PR_SET_NAME, MONITOR_HOST_NAME);
        if (!lifeline_take()) {
            output_error("%s is started by `sluice serve'", MONITOR_HOST_NAME);
            return EXIT_USAGE;
        }
    }
    return command_run(argc, argv);
}
