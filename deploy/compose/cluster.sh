#!/bin/sh
# Readies the cluster for its nodes, as `kubeadm init` does at its end, and leaves a configuration to join with. Done once.
set -eu
# The token that nodes join with is for root alone.
umask 077
config=/etc/kubernetes/kubeadm.yaml
pki=/etc/kubernetes/pki
[ ! -e /join/join.yaml ] || exit 0
until curl -fsS --cacert $pki/ca.crt https://haproxy:6443/readyz >/dev/null 2>&1; do sleep 0.5; done
kubeadm init phase wait-control-plane --config $config
kubeadm init phase upload-config all --config $config
kubeadm init phase bootstrap-token --config $config
kubeadm init phase addon all --config $config
# kubeadm join haproxy:6443 --token TOKEN --discovery-token-ca-cert-hash HASH
command=$(kubeadm token create --ttl 0 --description 'for the nodes of the compose file' --print-join-command)
token=$(echo "$command" | sed -n 's/.*--token \([^ ]*\).*/\1/p')
hash=$(echo "$command" | sed -n 's/.*\(sha256:[0-9a-f]*\).*/\1/p')
cat >/join/join.yaml.new <<EOF
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken: {token: $token, apiServerEndpoint: haproxy:6443, caCertHashes: [$hash]}
EOF
mv /join/join.yaml.new /join/join.yaml
