#!/bin/bash
# PID 1 of a test host: builds its file tree, pivots into it and waits. Runs inside fresh mount, UTS, IPC, PID, network and
# cgroup namespaces. Arguments: the host's root folder, its name, and the folders to show inside at their own paths.
set -e
root=$1 name=$2
shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
cd "$root"
mount --rbind -o ro /usr usr
mount -o remount,bind,ro usr
# Programs may be installed below /usr/local, and sysctl finds no settings that are this machine's.
if [ -n "${SYSTEMD:-}" ]; then
  mkdir -p var/usr-local/upper var/usr-local/work
  mount -t overlay -o "lowerdir=/usr/local,upperdir=$root/var/usr-local/upper,workdir=$root/var/usr-local/work" overlay usr/local
  mount -t tmpfs -o mode=755,size=64k sysctl usr/lib/sysctl.d
fi
if [ -n "${DISK:-}" ]; then mount -o loop "$DISK" var/lib; fi
mount -t tmpfs -o mode=755,size=256m tmpfs run
mkdir -p run/lock
mount -t tmpfs -o mode=755,size=64k dev dev
for device in null zero full random urandom tty fuse net/tun loop-control kmsg kvm loop0 loop1 loop2 loop3 loop4 loop5 loop6 loop7; do
  if [ -e "/dev/$device" ]; then
    mkdir -p "dev/$(dirname "$device")"
    cp -a "/dev/$device" "dev/$device"
  fi
done
mkdir -p dev/pts dev/shm dev/mqueue
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t mqueue mqueue dev/mqueue
mount -t proc proc proc
mount -t sysfs sysfs sys
if [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then
  mount -t cgroup2 cgroup2 sys/fs/cgroup
else
  mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
  for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do
    mkdir "sys/fs/cgroup/$controller"
    mount -t cgroup -o "$controller" cgroup "sys/fs/cgroup/$controller"
  done
  mkdir sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
for folder in "$@"; do
  mkdir -p "$root$folder"
  mount --rbind "$folder" "$root$folder"
done
mkdir -p .old
pivot_root . .old
umount -l /.old
cd /
mount --make-rshared /
hostname "$name"
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin HOME=/root
echo 1 >/run/ready
if [ -n "${SYSTEMD:-}" ]; then exec env -i container=testbed PATH="$PATH" /lib/systemd/systemd >/var/log/systemd.log 2>&1; fi
exec /usr/bin/tini -- /bin/sleep infinity
