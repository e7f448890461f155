/* sluice: the program. What it does stands in cli/, one file a command: `run` reads the
 * configuration, opens the plugins, creates the host (host.h), which wires the stages together,
 * runs it until all tasks have ended, and says what happened. */
#include "cli/command.h"
#include "cli/monitor.h"
#include "cli/output.h"
#include "cli/roles.h"

int main(int argc, char **argv)
{
    int code;
    if (roles_run(argc, argv, &code))
        return code;
    output_open();
    return monitor_names_host(argv[0]) ? monitor_host(argc, argv) : command_run(argc, argv);
}
