# Metrics as they are written down: the dashboard and the documentation speak of those that there are.
load helpers

dashboard=$SOURCE_DIR/configs/grafana/sluice.json

# metrics KIND: the names of the metrics of this kind (a pattern), one a line.
metrics() {
    sed -nE "s/^METRIC\(\w+, ($1), \"(\w+)\",.*/\2/p" "$SOURCE_DIR/core/serve/metrics.def"
}

# series: the names of all series that a scrape may hold.
series() {
    metrics 'COUNTER|GAUGE'
    for name in $(metrics HISTOGRAM); do
        printf '%s\n' "${name}_bucket" "${name}_sum" "${name}_count"
    done
}

# expressions: what the panels of a dashboard ask for, with Grafana's variables filled in, one a line.
expressions() {
    jq -r '.panels[].targets[]?.expr' "$1" | sed 's/\$__rate_interval/5m/g; s/\$[a-z]\+/.*/g'
}

# names: the metrics in expressions from standard input: what a selector or a range begins with.
names() {
    grep -oE '\w+(\{|\[)' | tr -d '{[' | sort -u
}

@test "the dashboard asks only for metrics that there are, also in its variables" {
    expressions "$dashboard" | names >asked
    jq -r '.templating.list[] | select(.type == "query").query.query' "$dashboard" |
        sed -E 's/label_values\((\w+).*/\1/' >>asked
    [ "$(wc -l <asked)" -gt 20 ]
    run comm -23 <(sort -u asked) <(series | sort)
    echo "$output"
    [ -z "$output" ]
}

@test "every metric stands in the dashboard" {
    expressions "$dashboard" | names | sed 's/_bucket$//' >asked
    run comm -13 <(sort -u asked) <(metrics 'COUNTER|GAUGE|HISTOGRAM' | sort)
    echo "$output"
    [ -z "$output" ]
}

@test "Prometheus understands every expression of the dashboard" {
    {
        echo 'groups: [{name: dashboard, rules: ['
        expressions "$dashboard" | jq -R '{record: "panel:\(input_line_number)", expr: .}' | sed 's/^}/},/'
        echo ']}]'
    } >rules.yaml
    run promtool check rules rules.yaml
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"$(expressions "$dashboard" | wc -l) rules found"* ]]
}

@test "every panel takes its data from where the variable says" {
    [ "$(jq -r '[.panels[] | select(.type != "row") | .datasource.uid, .targets[].datasource.uid] | unique[]' "$dashboard")" = '${datasource}' ]
}

@test "the documentation has every metric, and no other" {
    metrics 'COUNTER|GAUGE|HISTOGRAM' | sort >there
    sed -nE 's/^\| `(\w+)(\{.*\})?` \|.*/\1/p' "$SOURCE_DIR/configs/grafana/README.md" | sort >told
    diff there told
}
