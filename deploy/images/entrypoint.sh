#!/bin/sh
# What runs in a container that is a machine: a Docker engine of its own, and beside it
#   up [FLAGS]       a whole cluster (`coxswain up`); the API server listens on 6443
#   join FILE        a node of a cluster that is there (`kubeadm join --config FILE`), joined once
#   COMMAND [ARGS]   anything else, without the engine
# The container must be privileged, and /var/lib should be a volume: images, containers, certificates and the store lie there.
set -eu

say() { echo "machine: $*" >&2; }

# The container must see its own cgroups as the whole of them, or the pods of all machines of a host would meet in one place. Where cgroups are
# several trees, engines show privileged containers those of the host.
own_cgroups() {
  if [ -f /sys/fs/cgroup/cgroup.controllers ] || grep -q ':memory:/$' /proc/self/cgroup; then return 0; fi
  if [ -z "${own_cgroups_tried:-}" ]; then
    export own_cgroups_tried=1
    exec unshare --cgroup "$0" "$@"
  fi
  say 'the container cannot have cgroups of its own: run it with --cgroupns=private'
  exit 1
}

prepare_cgroups() {
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    # In the one tree, no process may stay in a group that hands controllers down.
    mkdir -p /sys/fs/cgroup/init
    for _ in 1 2 3 4 5; do
      while read -r pid; do echo "$pid" >/sys/fs/cgroup/init/cgroup.procs 2>/dev/null || :; done </sys/fs/cgroup/cgroup.procs
      sed 's/ / +/g; s/^/+/' /sys/fs/cgroup/cgroup.controllers 2>/dev/null >/sys/fs/cgroup/cgroup.subtree_control && return 0
    done
    say 'the cgroup controllers cannot be handed down: limits of containers may not work'
  elif [ -n "${own_cgroups_tried:-}" ]; then
    while IFS=: read -r _ controllers _; do
      folder=/sys/fs/cgroup/${controllers#name=}
      [ -n "$controllers" ] && [ -d "$folder" ] || continue
      umount "$folder" && mount -t cgroup -o "$controllers" cgroup "$folder"
    done </proc/self/cgroup
  fi
}

# Keeps dockerd running. What a killed one left behind would stop the next from starting.
run_engine() {
  while :; do
    rm -f /run/docker.pid /run/docker/containerd/containerd.pid
    dockerd --live-restore >>/var/log/dockerd.log 2>&1 || :
    say 'dockerd ended and is started again'
    sleep 1
  done
}

start_engine() {
  mount --make-rshared /
  prepare_cgroups
  run_engine &
  tries=0
  until docker version >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ]; then
      tail -n 5 /var/log/dockerd.log >&2
      say 'dockerd does not answer; is the container privileged?'
      exit 1
    fi
    sleep 0.2
  done
}

join() {
  joining=
  stopping=
  coxswain node &
  agent=$!
  trap 'stopping=1; kill "$agent" $joining 2>/dev/null || :' TERM INT
  joined=/var/lib/coxswain/joined
  if [ ! -e "$joined" ]; then
    # In the background, since a shell heeds signals only when what it waits for in the foreground has ended.
    until kubeadm join --config "$1" --ignore-preflight-errors=all & joining=$!; wait "$joining"; do
      [ -z "$stopping" ] || break
      say 'joining again in 2 s'
      sleep 2
    done
    joining=
    [ -n "$stopping" ] || touch "$joined"
  fi
  # A signal ends the first wait; the second one is for the agent's own end.
  wait "$agent" || wait "$agent"
}

case "${1:-up}" in
  up)
    own_cgroups "$@"
    [ $# -gt 0 ] && shift
    start_engine
    exec coxswain up --foreground --apiserver-cert-extra-sans="${COXSWAIN_SANS:-localhost}" "$@"
    ;;
  join)
    own_cgroups "$@"
    start_engine
    join "$2"
    ;;
  *) exec "$@" ;;
esac
