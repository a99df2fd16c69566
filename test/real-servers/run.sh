#!/bin/bash
# Starts real servers from Debian's packages on loopback, identifies them with the native scanner and with nmap -sV, and
# prints both and the times. Everything lives in a temporary folder and, where the kernel lets us, in a network namespace
# of its own, so that the servers have their usual ports and nobody else sees them; otherwise on ports from 20000 up.
# Ends what it started, by process id. Usage: test/real-servers/run.sh [--install]; as root.
# SKIP_NMAP, SKIP_RABBIT leave out what is slow; RAW prints the raw report; KEEP keeps the folder.
set -u
self=$(realpath "$0")
cd "$(dirname "$self")/../.." || exit 1

packages="openssh-server nginx-light apache2-bin vsftpd postfix mariadb-server postgresql redis-server memcached mosquitto
dovecot-imapd dovecot-pop3d bind9 samba rabbitmq-server lighttpd haproxy squid varnish slapd rsync nmap openssl iproute2"
if [ "${1:-}" = --install ]; then
    # RUNLEVEL=1 keeps the packages' own services from starting.
    DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y --no-install-recommends $packages >/dev/null || exit 1
fi

identify=${IDENTIFY:-}
if [ -z "$identify" ]; then
    identify=$(mktemp /tmp/identify.XXXXXX)
    go build -o "$identify" ./test/real-servers/identify || exit 1
    export IDENTIFY=$identify IDENTIFY_OURS=1
fi
# A process namespace as well: when it ends, all that was started in it has ended.
own="unshare --net --pid --fork --kill-child --mount-proc"
if [ -z "${IN_NAMESPACE:-}" ] && $own true 2>/dev/null; then
    IN_NAMESPACE=1 exec $own "$self" --in-namespace
fi
base=20000
if [ -n "${IN_NAMESPACE:-}" ]; then
    ip link set lo up
    base=0
fi
port() { echo $((base + $1)); }

dir=$(mktemp -d /tmp/real-servers.XXXXXX)
chmod 755 "$dir"
pids=()
ports=()
finish() {
    for p in "${pids[@]}"; do kill -- "-$p" 2>/dev/null; done
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        alive=0
        for p in "${pids[@]}"; do kill -0 "$p" 2>/dev/null && alive=1; done
        [ $alive = 0 ] && break
        sleep 0.3
    done
    for p in "${pids[@]}"; do kill -9 -- "-$p" 2>/dev/null; done
    for f in "$dir"/*.pid "$dir"/*/*.pid "$dir"/*/pid/*.pid; do [ -f "$f" ] && kill -9 $(head -1 "$f") 2>/dev/null; done
    if [ -n "${KEEP:-}" ]; then echo "kept $dir"; else rm -rf "$dir"; fi
    [ -n "${IDENTIFY_OURS:-}" ] && rm -f "$identify"
}
trap finish EXIT
trap 'exit 130' INT TERM

# serve PORT COMMAND… starts a server in the foreground of a background job; a missing program is said and skipped.
serve() {
    local p=$1
    shift
    if ! command -v "$1" >/dev/null; then
        echo "skipped: $1 is not installed"
        return
    fi
    # A group of its own: some servers end their whole group, which must not be ours.
    setsid "$@" >"$dir/log.$p" 2>&1 &
    pids+=($!)
    ports+=("$p")
}

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$dir/key.pem" -out "$dir/cert.pem" -days 2 -subj /CN=scan.example \
    -addext subjectAltName=DNS:scan.example,DNS:www.scan.example 2>/dev/null
cat "$dir/cert.pem" "$dir/key.pem" >"$dir/both.pem"
mkdir -p "$dir/www" && echo '<title>It works</title>' >"$dir/www/index.html"

# --- SSH
mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f "$dir/hostkey"
serve "$(port 22)" /usr/sbin/sshd -D -e -f /dev/null -h "$dir/hostkey" -p "$(port 22)" -o ListenAddress=127.0.0.1 -o PidFile=none

# --- web
cat >"$dir/nginx.conf" <<E
daemon off; pid $dir/nginx.pid; error_log $dir/nginx.err;
events {}
http { access_log off; server { listen 127.0.0.1:$(port 80); root $dir/www; }
server { listen 127.0.0.1:$(port 443) ssl; ssl_certificate $dir/cert.pem; ssl_certificate_key $dir/key.pem; root $dir/www; } }
E
serve "$(port 80)" nginx -c "$dir/nginx.conf"
ports+=("$(port 443)")
cat >"$dir/apache.conf" <<E
ServerRoot /usr/lib/apache2
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
Listen 127.0.0.1:$(port 8080)
PidFile $dir/apache.pid
ErrorLog $dir/apache.err
ServerName localhost
DocumentRoot $dir/www
E
serve "$(port 8080)" /usr/sbin/apache2 -X -f "$dir/apache.conf"
cat >"$dir/lighttpd.conf" <<E
server.document-root = "$dir/www"
server.port = $(port 8081)
server.bind = "127.0.0.1"
index-file.names = ("index.html")
E
serve "$(port 8081)" lighttpd -D -f "$dir/lighttpd.conf"
cat >"$dir/haproxy.cfg" <<E
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend stats
  bind 127.0.0.1:$(port 8404)
  stats enable
  stats uri /stats
E
serve "$(port 8404)" haproxy -db -f "$dir/haproxy.cfg"
mkdir -p "$dir/squid" && chown proxy "$dir/squid" 2>/dev/null
cat >"$dir/squid.conf" <<E
http_port 127.0.0.1:$(port 3128)
pid_filename $dir/squid/squid.pid
access_log none
cache_log $dir/squid/cache.log
cache_store_log none
coredump_dir $dir/squid
E
serve "$(port 3128)" squid -N -f "$dir/squid.conf"
serve "$(port 6081)" varnishd -F -a "127.0.0.1:$(port 6081)" -b "127.0.0.1:$(port 80)" -n "$dir/varnish" -T none

# --- files and mail
cat >"$dir/vsftpd.conf" <<E
listen=YES
background=NO
listen_address=127.0.0.1
listen_port=$(port 21)
secure_chroot_dir=$dir/www
E
serve "$(port 21)" vsftpd "$dir/vsftpd.conf"
cat >"$dir/rsyncd.conf" <<E
pid file = $dir/rsync.pid
E
serve "$(port 873)" rsync --daemon --no-detach --address=127.0.0.1 --port="$(port 873)" --config="$dir/rsyncd.conf"
if command -v postfix >/dev/null; then
    mkdir -p "$dir/postfix" "$dir/pq" "$dir/pd" && chown postfix "$dir/pd"
    cp /etc/postfix/*.cf "$dir/postfix/" 2>/dev/null
    cp /usr/share/postfix/master.cf.dist "$dir/postfix/master.cf" 2>/dev/null
    sed -i "s/^smtp      inet.*/127.0.0.1:$(port 25) inet n - n - - smtpd/" "$dir/postfix/master.cf"
    cat >"$dir/postfix/main.cf" <<E
compatibility_level = 3.6
queue_directory = $dir/pq
data_directory = $dir/pd
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.example.org
inet_interfaces = 127.0.0.1
smtpd_banner = \$myhostname ESMTP \$mail_name (Debian/GNU)
E
    sed -i 's/^\([a-z].* unix .*\)y\( .*\)$/\1n\2/' "$dir/postfix/master.cf"
    serve "$(port 25)" postfix -c "$dir/postfix" start-fg
fi
if command -v dovecot >/dev/null; then
    cat >"$dir/dovecot.conf" <<E
base_dir = $dir/dovecot
protocols = imap pop3
listen = 127.0.0.1
ssl_cert = <$dir/cert.pem
ssl_key = <$dir/key.pem
log_path = $dir/dovecot.log
mail_location = maildir:$dir/mail
auth_mechanisms = plain
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=$dir
}
service imap-login {
  inet_listener imap { 
    port = $(port 143)
  }
  inet_listener imaps { 
    port = $(port 993)
  }
}
service pop3-login {
  inet_listener pop3 { 
    port = $(port 110)
  }
  inet_listener pop3s { 
    port = $(port 995)
  }
}
E
    serve "$(port 143)" dovecot -F -c "$dir/dovecot.conf"
    ports+=("$(port 993)" "$(port 110)" "$(port 995)")
fi

# --- databases and caches
if command -v mariadbd >/dev/null; then
    mkdir -p "$dir/maria" && chown mysql "$dir/maria"
    mariadb-install-db --no-defaults --user=mysql --datadir="$dir/maria" --auth-root-authentication-method=normal >/dev/null 2>&1
    serve "$(port 3306)" mariadbd --no-defaults --user=mysql --datadir="$dir/maria" --bind-address=127.0.0.1 \
        --port="$(port 3306)" --socket="$dir/maria/s.sock" --pid-file="$dir/maria/maria.pid"
fi
postgres=$(ls /usr/lib/postgresql/*/bin/postgres 2>/dev/null | tail -1)
if [ -n "$postgres" ]; then
    mkdir "$dir/pg" && chown postgres "$dir/pg"
    setpriv --reuid=postgres --regid=postgres --clear-groups "${postgres%postgres}initdb" -D "$dir/pg" >/dev/null 2>&1
    serve "$(port 5432)" setpriv --reuid=postgres --regid=postgres --clear-groups "$postgres" -D "$dir/pg" -h 127.0.0.1 \
        -p "$(port 5432)" -k "$dir/pg"
fi
serve "$(port 6379)" redis-server --port "$(port 6379)" --bind 127.0.0.1 --dir "$dir" --save ''
serve "$(port 6380)" redis-server --port "$(port 6380)" --bind 127.0.0.1 --dir "$dir" --save '' --requirepass x
serve "$(port 11211)" memcached -u nobody -l 127.0.0.1 -p "$(port 11211)"
if command -v slapd >/dev/null; then
    mkdir "$dir/ldap"
    cat >"$dir/slapd.conf" <<E
include /etc/ldap/schema/core.schema
pidfile $dir/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix dc=example,dc=org
directory $dir/ldap
E
    serve "$(port 389)" slapd -d 0 -f "$dir/slapd.conf" -h "ldap://127.0.0.1:$(port 389)"
fi

# --- messages, names, shares
cat >"$dir/mosquitto.conf" <<E
listener $(port 1883) 127.0.0.1
allow_anonymous true
user nobody
E
serve "$(port 1883)" mosquitto -c "$dir/mosquitto.conf"
mkdir -p "$dir/named"
cat >"$dir/named.conf" <<E
options { directory "$dir/named"; listen-on port $(port 53) { 127.0.0.1; }; listen-on-v6 { none; }; recursion no;
pid-file "$dir/named.pid"; session-keyfile "$dir/named/session.key"; };
controls {};
E
serve "$(port 53)" named -g -c "$dir/named.conf"
mkdir -p "$dir/samba"
cat >"$dir/smb.conf" <<E
[global]
workgroup = EXAMPLE
server min protocol = SMB2
smb ports = $(port 445)
bind interfaces only = yes
interfaces = lo
private dir = $dir/samba
state directory = $dir/samba
cache directory = $dir/samba
lock directory = $dir/samba
pid directory = $dir/samba
ncalrpc dir = $dir/samba/ncalrpc
disable netbios = yes
disable spoolss = yes
E
serve "$(port 445)" smbd --foreground --no-process-group -s "$dir/smb.conf" -l "$dir/samba"
if command -v rabbitmq-server >/dev/null && [ -z "${SKIP_RABBIT:-}" ]; then
    mkdir -p "$dir/rabbit/pid"
    serve "$(port 4369)" epmd -port "$(port 4369)" -address 127.0.0.1
    # The package's wrapper changes to its own user; the server's script does not.
    HOME=$dir/rabbit ERL_EPMD_PORT=$(port 4369) RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT=$(port 5672) \
        RABBITMQ_DIST_PORT=$(port 25672) RABBITMQ_NODENAME=scan@localhost RABBITMQ_MNESIA_BASE=$dir/rabbit \
        RABBITMQ_LOG_BASE=$dir/rabbit RABBITMQ_PID_FILE=$dir/rabbit/pid/r.pid RABBITMQ_ENABLED_PLUGINS_FILE=$dir/rabbit/plugins \
        serve "$(port 5672)" "$(ls /usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server | head -1)"
fi

# --- wait until all listen, at most 40 s
listening() { ss -Hltn "sport = :$1" | grep -q .; }
for _ in $(seq 80); do
    missing=""
    for p in "${ports[@]}"; do listening "$p" || missing="$missing $p"; done
    [ -z "$missing" ] && break
    sleep 0.5
done
for p in $missing; do
    echo "not started on $p: $(tail -1 "$dir/log.$p" 2>/dev/null)"
done

list=$(IFS=,; echo "${ports[*]}")
echo "== native, these ports"
"$identify" -ports "$list" ${RAW:+-raw}
if [ $base = 0 ]; then
    echo "== native, standard profile"
    "$identify" -profile standard | tail -1
fi
if command -v nmap >/dev/null && [ -z "${SKIP_NMAP:-}" ]; then
    echo "== nmap -sV, these ports"
    began=$(date +%s.%N)
    timeout 300 nmap -sV -n -Pn -p"$list" 127.0.0.1 -oG /dev/null | grep -E '^[0-9]+/tcp|Service Info'
    echo "wall time $(echo "$(date +%s.%N) - $began" | bc 2>/dev/null || awk "BEGIN{print $(date +%s.%N) - $began}") s"
fi
