#!/bin/sh
# Runs a command as it would run in a container: with its own mounts and processes, one folder as the image, the
# programs of BASE read-only below it, and /tmp in memory. Run it as root under `unshare --mount --pid --fork`; the
# command runs as UID.
#   inside.sh BASE IMAGE ro|rw UID WORKDIR [BIND=TARGET ...] -- COMMAND...
set -e
base=$1 image=$2 mode=$3 uid=$4 workdir=$5
shift 5
root=$(mktemp -d)
mount --make-rprivate /
mount -t tmpfs -o mode=755 image "$root"
for name in bin sbin lib lib32 lib64 usr etc; do
  if [ -L "$base/$name" ]; then cp -P "$base/$name" "$root/$name"
  elif [ -d "$base/$name" ]; then
    mkdir "$root/$name"
    mount --bind "$base/$name" "$root/$name"
    mount -o remount,bind,ro "$root/$name"
  fi
done
# The base image has this user, and initdb looks it up by its number.
printf 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n' > "$root/passwd"
mount --bind "$root/passwd" "$root/etc/passwd"
mkdir -m 1777 "$root/tmp"
mkdir "$root/proc" "$root/dev" "$root/root"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
for path in "$image"/*; do
  [ -e "$path" ] || continue
  mkdir -p "$root/${path##*/}"
  mount --bind "$path" "$root/${path##*/}"
  mount -o "remount,bind,$mode" "$root/${path##*/}"
done
while [ "$1" != -- ]; do
  mkdir -p "$root${1#*=}"
  mount --bind "${1%%=*}" "$root${1#*=}"
  shift
done
shift
if [ "$mode" = ro ]; then mount -o remount,ro "$root"; fi
# Resolved here, because it is not in the PATH of the command.
chroot=$(PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v chroot)
exec "$chroot" --userspec="$uid:$uid" --groups= "$root" env -C "$workdir" "$@"
