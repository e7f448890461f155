#!/bin/sh
# generate_plugin.sh NAME FIRST COUNT: prints the source of a plugin NAMEFIRST with COUNT types that do nothing, NAME.000
# and so on from number FIRST.
set -eu
awk -v name="${1:?usage: generate_plugin.sh NAME FIRST COUNT}" -v first="$2" -v count="$3" 'BEGIN {
    print "#include <sluice/plugin.h>\n"
    print "struct params {\n    int64_t n;\n};\n"
    print "static const struct sluice_param table[] = {"
    print "    SLUICE_INT(struct params, n, .help = \"any number\"),\n    SLUICE_PARAMS_END,\n};\n"
    print "static enum sluice_status nothing(const struct sluice_call *call, const void *params)"
    print "{\n    (void)call;\n    (void)params;\n    return SLUICE_OK;\n}\n"
    print "static const struct sluice_type types[] = {"
    for (i = first; i < first + count; i++) {
        type = sprintf("%s.%03d", name, i)
        all = all (i > first ? " " : "") type
        printf "    {SLUICE_TYPE(\"%s\", \"Does nothing.\"), .params = table,\n", type
        print "     .params_size = sizeof(struct params), .flags = SLUICE_IDEMPOTENT, .execute = nothing},"
    }
    print "    SLUICE_TYPES_END,\n};\n"
    printf "SLUICE_PLUGIN(\"%s%d\", \"1.0.0\", \"%s\", types)\n", name, first, all
}'
