#!/bin/sh
# Assembles the root file system of the image: one binary and what it needs at run time.
#
#   rootfs.sh BINARY FOLDER
#
# Runs in the build stage of ../../Containerfile (dash, as root) and in the chart's tests.
# Everything that is copied is named here or by the binary's own dynamic section.
set -eu

binary=$1
root=$2

install -d -m 0755 "$root" "$root/etc" "$root/etc/consentry" "$root/etc/ssl/certs" "$root/usr/bin"
install -m 0755 "$binary" "$root/usr/bin/consentry"

# The dynamic loader and each shared library, at the very path that the loader looks them up by.
ldd "$binary" | awk '$2 == "=>" && $3 ~ /^\// { print $3; next } $1 ~ /^\// { print $1 }' | while read -r library; do
  install -D -m 0755 "$(readlink -f "$library")" "$root$library"
done

# What upstreams are trusted by, unless the configuration names another root.
install -m 0644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"

# glibc 2.34 and later has the files and dns services built in: no libnss_* is needed.
printf 'hosts: files dns\n' > "$root/etc/nsswitch.conf"
printf 'nonroot:x:65532:65532:consentry:/var/lib/consentry:/sbin/nologin\n' > "$root/etc/passwd"
printf 'nonroot:x:65532:\n' > "$root/etc/group"

# State and spool. Kubernetes mounts volumes over them; `docker run` makes volumes of this owner.
install -d -m 0750 -o 65532 -g 65532 "$root/var/lib/consentry" "$root/var/spool/consentry"
