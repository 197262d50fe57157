#!/bin/sh
# Runs the examples, which were built into $1, beside a lab whose variables are set.
set -eu
cd "$1"
passed=0
failed=0
check() {
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "example $1: failed"
        cat "$1.log"
    fi
}
status() {
    if "$@"; then echo 0; else echo $?; fi
}
sentinel() {
    port=${REDIS_SENTINEL_LIST%%,*}
    redis-cli -p "${port##*:}" SENTINEL "$@"
}

check connect "$(status sh -c './connect >connect.log 2>&1 && grep -q "^3 items$" connect.log')"
check pipeline "$(status sh -c './pipeline >pipeline.log 2>&1 && grep -q "^1: WRONGTYPE" pipeline.log &&
    grep -q "^accounts: -10 10$" pipeline.log')"
check evented "$(status sh -c './evented >evented.log 2>&1 && grep -q "^tick 5$" evented.log')"

mkfifo told
./pubsub >told &
subscriber=$!
{
    read -r line
    [ "$line" = listening ]
    primary=$(sentinel GET-MASTER-ADDR-BY-NAME "$REDIS_SENTINEL_MASTER" | tail -n 1)
    redis-cli -p "$primary" PUBLISH user.7 hello >/dev/null
    redis-cli -p "$primary" PUBLISH news bye >/dev/null
    cat
} <told >pubsub.log
check pubsub "$(status sh -c "grep -q '^user.7: hello$' pubsub.log && grep -q '^news: bye$' pubsub.log")"
wait $subscriber

# Both count on through a failover.
./failover_loop 600 >failover_loop.log 2>&1 &
loop=$!
./hiredis 20000 >hiredis.log 2>&1 &
own=$!
sentinel FAILOVER "$REDIS_SENTINEL_MASTER" >/dev/null
well=0
wait $loop || well=1
grep -q '^the primary is' failover_loop.log || well=1
! grep -q 'try later' failover_loop.log || well=1
check failover_loop $well
well=0
wait $own || well=1
check hiredis $well

echo "$passed passed, $failed failed"
[ $failed = 0 ]
