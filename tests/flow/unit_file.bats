# The daemon as a service of systemd: configs/sluice.service.
# shellcheck disable=SC2154 # helpers.bash sets pid
load serve

unit=$SOURCE_DIR/configs/sluice.service

# value NAME: of a directive of the service.
value() {
    sed -n "s/^$1=//p" "$unit"
}

@test "every directive of the service is one that systemd knows" {
    # systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.kill(5), of version 252.
    known="Description Documentation After Type NotifyAccess ExecStart ExecReload WatchdogSec Restart RestartSec
        SuccessExitStatus RestartPreventExitStatus TimeoutStopSec KillMode OOMPolicy LimitNOFILE DynamicUser RuntimeDirectory
        RuntimeDirectoryMode StateDirectory StateDirectoryMode UMask ProtectSystem ProtectHome PrivateTmp PrivateDevices
        NoNewPrivileges CapabilityBoundingSet ProtectKernelTunables ProtectKernelModules ProtectKernelLogs
        ProtectControlGroups ProtectClock ProtectHostname RestrictSUIDSGID RestrictRealtime RestrictNamespaces
        RestrictAddressFamilies LockPersonality SystemCallArchitectures WantedBy"
    # shellcheck disable=SC2086 # words
    printf '%s\n' $known | sort >known
    sed -nE 's/^([A-Za-z]+)=.*/\1/p' "$unit" | sort >used
    [ "$(wc -l <used)" -gt 30 ]
    diff known used
    [ "$(grep -vcE '^(#.*|\[(Unit|Service|Install)\]|[A-Za-z]+=.*|)$' "$unit")" -eq 0 ]
}

@test "systemd has nothing to say about the service" {
    command -v systemd-analyze >/dev/null || skip "systemd is not installed"
    sed "s|^ExecStart=sluice|ExecStart=$SLUICE|" "$unit" >sluice.service
    run -0 systemd-analyze verify --man=no "$PWD/sluice.service"
    echo "$output"
    [ -z "$output" ]
}

@test "the service starts in the folders that systemd makes for it" {
    export RUNTIME_DIRECTORY=$PWD/run STATE_DIRECTORY=$PWD/state
    mkdir run state
    settings "[http]" "listen = 127.0.0.1:0"
    serve
    [ "$(stat -c %a state/token)" = 600 ]
    [ -d state/code ]
    stop
    unset SLUICE_CONFIG
    serve
    [ "$(stat -c %a run/sluice.sock)" = 600 ]
    stop
}

@test "the ends of the daemon are those that the service knows" {
    settings "[host]" "grace = soon"
    run -"$(value RestartPreventExitStatus)" "$SLUICE" serve
    unset SLUICE_CONFIG
    serve
    kill -TERM "$pid"
    ended "$(value SuccessExitStatus)"
    serve
    "$SLUICE" stop
    ended 0
}
