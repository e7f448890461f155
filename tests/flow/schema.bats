# `sluice schema`: what it accepts and refuses, seen by a validator that is not ours.
# shellcheck disable=SC2154 # run sets variables, helpers.bash sets some
load helpers

# schema: the schema of the plugins that the wrong files are about, in job.schema.json.
schema() {
    mkdir -m 755 plugins
    cp "$PLUGINS"/{noop,sleep,exec,hash}.so "$TEST_PLUGINS"/{kinds,locked}.so plugins
    "$SLUICE" schema --plugins plugins >job.schema.json 2>log
}

# verdicts FILE...: a line `right FILE`, `wrong FILE` or `unreadable FILE` for each.
verdicts() {
    python3 "$SOURCE_DIR/tests/flow/schema.py" job.schema.json "$@"
}

# yaml_of FILE: the blocks of YAML in a README, as files in the current folder.
yaml_of() {
    awk -v name="$(basename "$(dirname "$1")")" '
        /^```yaml$/ { file = name "-" ++count ".yaml"; next }
        /^```$/ { file = ""; next }
        file != "" { print >file }' "$1"
}

@test "the schema is JSON of draft 2020-12 with every type and key, and --format json makes it one line" {
    schema
    [ "$(jq -r '."$schema"' job.schema.json)" = https://json-schema.org/draft/2020-12/schema ]
    [ "$(jq -r '."$defs".type.anyOf[0].enum | contains(["exec", "hash", "noop", "sleep"])' job.schema.json)" = true ]
    [ "$(jq -r '."$defs"."params.hash".properties.algorithm.default' job.schema.json)" = sha256 ]
    [ "$(jq -r '[."$defs".task.properties[] | select(type == "object" and .description == null)] | length' job.schema.json)" -eq 0 ]
    "$SLUICE" schema --plugins plugins --format json >line.json
    [ "$(wc -l <line.json)" -eq 1 ]
    cmp <(jq -S . line.json) <(jq -S . job.schema.json)
}

@test "a plugin that is refused is left out, and the log says why" {
    schema
    grep -q 'locked.so' log
    [ "$(jq -r '."$defs".type.anyOf[0].enum | index("locked")' job.schema.json)" = null ]
}

@test "the schema accepts every job file of the examples and READMEs" {
    "$SLUICE" schema "${both[@]}" >job.schema.json
    for readme in "$SOURCE_DIR"/README.md "$SOURCE_DIR"/plugins/*/README.md; do
        yaml_of "$readme"
    done
    verdicts "$SOURCE_DIR"/configs/jobs/*.yaml ./*.yaml >verdicts
    cat verdicts
    [ "$(grep -c . verdicts)" -ge 12 ]
    run ! grep -v '^right' verdicts
}

@test "the schema accepts what check accepts: texts, substitution, merges, aliases" {
    schema
    job all <<'EOT'
vars: {n: 3, on: "true", span: 30s, kind: noop}
name: 0x10
fail_fast: ${vars.on}
max_weight: 0x10
defaults: &defaults
  timeout: 1h30m
  delay: 0
  labels: &labels {region: no, time: 1:30, zero: 0}
  retry: &retry {attempts: 0x3, delay: 1.5s, backoff: linear, max_delay: 1d, jitter: .5}
tasks:
  - {id: 007, type: noop, params: {n: +7}, priority: -100, weight: auto}
  - {id: true, type: "${vars.kind}", params: {n: "${vars.n}"}, weight: "${vars.n}", timeout: "${vars.span}"}
  - {type: noop, labels: {<<: *labels, region: null}, retry: {<<: *retry, attempts: 2}}
  - &sleep {type: sleep, params: &params {for: 10ms}, at: 2001-02-03T04:05:06.7Z}
  - {<<: *sleep, id: merged}
  - {id: again, type: sleep, params: {<<: *params}}
  - {id: "by-${vars.n}", type: noop, needs: ["each"], params: {n: 1}}
  - {id: after, type: noop, needs: [007, true, merged], when: always}
  - {id: each, type: noop, needs: [], when: success, for_each: {n: [1, 2], m: [a]}, params: {n: "${each.n}"}}
EOT
    "$SLUICE" check all.yaml --plugins plugins
    [ "$(verdicts all.yaml)" = "right all.yaml" ]
}

@test "the schema accepts what check accepts of every kind of parameter" {
    schema
    job kinds <<<'tasks: [{type: noop, params: {}}]'
    "$SLUICE" plugin info kinds --plugins plugins | sed -n '/^version: 1/,$p' >example.yaml
    "$SLUICE" check kinds.yaml example.yaml --plugins plugins
    run ! grep -v '^right' <(verdicts kinds.yaml example.yaml)
}

@test "the schema refuses every wrong file that is marked structural" {
    schema
    cd "$SOURCE_DIR/tests/flow/wrong"
    grep -la '^# codes: .*(structural)$' ./*.yaml >"$BATS_TEST_TMPDIR/marked"
    # shellcheck disable=SC2046 # many names, many words
    python3 ../schema.py "$BATS_TEST_TMPDIR/job.schema.json" $(cat "$BATS_TEST_TMPDIR/marked") >"$BATS_TEST_TMPDIR/verdicts"
    run ! grep -v '^wrong' "$BATS_TEST_TMPDIR/verdicts"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/verdicts")" -ge 25 ]
}

@test "the first line of every example names the schema for editors" {
    for file in "$SOURCE_DIR"/configs/jobs/*.yaml; do
        # shellcheck disable=SC2016 # that is what editors want
        [ "$(head -n 1 "$file")" = '# yaml-language-server: $schema=job.schema.json' ]
    done
    grep -q 'sluice schema >configs/jobs/job.schema.json' "$SOURCE_DIR/configs/jobs/README.md"
}
