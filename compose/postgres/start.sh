#!/bin/sh
# Make a cluster with one user and one database, then become the server.
set -eu
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
export PGDATA
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    password_file=$(mktemp)
    printf '%s' "$POSTGRES_PASSWORD" > "$password_file"
    initdb --username="$POSTGRES_USER" --pwfile="$password_file" --auth=scram-sha-256 \
        --encoding=UTF8 --locale=C.UTF-8 --no-sync > /tmp/initdb.log || { cat /tmp/initdb.log; exit 1; }
    rm -f "$password_file"
    echo "listen_addresses = '*'" >> "$PGDATA/postgresql.conf"
    echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
    # The single-user server makes the database before anyone can connect.
    echo "CREATE DATABASE \"$POSTGRES_DB\";" | postgres --single -E postgres > /tmp/createdb.log
fi
exec "$@"
