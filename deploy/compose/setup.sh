#!/bin/sh
# Makes what every part of the cluster needs to know the others by. Run again, it keeps what is there.
set -eu
# Keys and what logs in with them are for root alone.
umask 077
cat >/etc/kubernetes/kubeadm.yaml <<EOF
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
nodeRegistration: {name: control-plane}
localAPIEndpoint: {advertiseAddress: $NETWORK.10, bindPort: 6443}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
controlPlaneEndpoint: haproxy:6443
networking: {podSubnet: 10.244.0.0/16}
apiServer: {certSANs: [haproxy, api-1, api-2, api-3, localhost, 127.0.0.1]}
etcd:
  local:
    serverCertSANs: [etcd-1, etcd-2, etcd-3]
    peerCertSANs: [etcd-1, etcd-2, etcd-3, $NETWORK.21, $NETWORK.22, $NETWORK.23]
EOF
kubeadm init phase certs all --config /etc/kubernetes/kubeadm.yaml
kubeadm init phase kubeconfig all --config /etc/kubernetes/kubeadm.yaml
sed "s#server: .*#server: https://127.0.0.1:$PORT#" /etc/kubernetes/admin.conf >/etc/kubernetes/user.conf
# For those who start cloud controller managers, too (load-balancers.yaml).
cloud=/etc/kubernetes/cloud-controller-manager.conf
if [ ! -e $cloud ]; then
  kubeadm kubeconfig user --client-name system:cloud-controller-manager --config /etc/kubernetes/kubeadm.yaml >$cloud.new
  mv $cloud.new $cloud
fi
cat >/etc/kubernetes/cloud.yaml <<EOF
apiVersion: cloud.coxswain.dev/v1alpha1
kind: PlainCloud
loadBalancers: {ranges: [$NETWORK.200-$NETWORK.220]}
EOF
# The members' common settings; etcd reads its environment.
cat >/etc/kubernetes/etcd.env <<EOF
export ETCD_DATA_DIR=/var/lib/etcd
export ETCD_INITIAL_CLUSTER=etcd-1=https://etcd-1:2380,etcd-2=https://etcd-2:2380,etcd-3=https://etcd-3:2380
export ETCD_ELECTION_TIMEOUT=500
export ETCD_HEARTBEAT_INTERVAL=100
export ETCD_PRE_VOTE=true
export ETCD_LISTEN_CLIENT_URLS=https://0.0.0.0:2379
export ETCD_LISTEN_PEER_URLS=https://0.0.0.0:2380
export ETCD_CERT_FILE=/etc/kubernetes/pki/etcd/server.crt
export ETCD_KEY_FILE=/etc/kubernetes/pki/etcd/server.key
export ETCD_CLIENT_CERT_AUTH=true
export ETCD_TRUSTED_CA_FILE=/etc/kubernetes/pki/etcd/ca.crt
export ETCD_PEER_CERT_FILE=/etc/kubernetes/pki/etcd/peer.crt
export ETCD_PEER_KEY_FILE=/etc/kubernetes/pki/etcd/peer.key
export ETCD_PEER_CLIENT_CERT_AUTH=true
export ETCD_PEER_TRUSTED_CA_FILE=/etc/kubernetes/pki/etcd/ca.crt
EOF
