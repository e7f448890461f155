#include "serve/reread_report.h"

void reread_report_init(struct reread_report *report)
{
    *report = (struct reread_report){.valid = true,
                                     .file = json_null(),
                                     .changed = json_array(),
                                     .restart = json_array(),
                                     .errors = json_array()};
}

void reread_report_fini(struct reread_report *report)
{
    json_decref(report->file);
    json_decref(report->changed);
    json_decref(report->restart);
    json_decref(report->errors);
}

json_t *reread_report_json(const struct reread_report *report)
{
    if (!report->valid)
        return json_incref(report->errors);
    return json_pack("{sO sO sO}", "file", report->file, "changed", report->changed, "restart",
                     report->restart);
}
