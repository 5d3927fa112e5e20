# Sourced by scripts that need a running city: waits for it and says where it is.
wait_for_city() { # directory of the city, its log, its port base
    local end=$((SECONDS + 150))
    until grep -q '"ready": true' "$2"; do
        if [ $SECONDS -ge $end ] || ! kill -0 "$city" 2>/dev/null; then
            echo "the city did not start:" >&2
            tail -n 40 "$2" "$1"/nodes/*/log.txt >&2 2>/dev/null || true
            exit 1
        fi
        sleep 0.3
    done
}
