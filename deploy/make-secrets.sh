#!/bin/sh
# Creates the secrets that compose.full.yaml mounts into its containers as files. Existing secrets stay as they are.
#   sh deploy/make-secrets.sh [DIRECTORY]
set -eu
directory=${1:-$(dirname "$0")/secrets}
# Closed to other users on this machine. In a container each file is mounted separately and read by users with other
# uids.
mkdir -p "$directory"
chmod 700 "$directory"
umask 022

random() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'; }
keep() { [ -s "$directory/$1" ] || printf '%s\n' "$2" > "$directory/$1"; }

for name in api-key operator-token secret-key web-key postgres-password redis-password rabbitmq-password grafana-password; do
  keep "$name" "$(random)"
done
secret() { cat "$directory/$1"; }
keep database-url "postgres://doorbuster:$(secret postgres-password)@postgres:5432/doorbuster"
keep redis-url "redis://:$(secret redis-password)@redis:6379/0"
keep amqp-url "amqp://doorbuster:$(secret rabbitmq-password)@rabbitmq:5672"
keep redis.conf "requirepass $(secret redis-password)"
keep rabbitmq.conf "default_user = doorbuster
default_pass = $(secret rabbitmq-password)"
echo "The secrets are in $directory."
