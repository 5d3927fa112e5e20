"""The scenario of hosts.sh. Every step says what it saw; the first thing that is not as it must be ends it with exit code 1."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from hosts_links import Links, name_of

ZHULIAN = sys.argv[1]
PORT, GATEWAY = 8644, 8640
ADDRESSES = {"1": "10.77.0.1", "2": "10.77.0.2", "3": "10.77.0.3", "4": "10.77.0.4", "c": "10.77.0.9", "s": "10.77.0.66"}
NODES = ["1", "2", "3", "4"]
# Names or addresses in the bundles: with addresses, strangers are turned away by theirs before they can say a word.
BY_NAME = os.environ.get("ZHULIAN_HOSTS", "names") == "names"
DELAY_MS, JITTER_MS, LOSS = 15, 5, 0.005

work = pathlib.Path(tempfile.mkdtemp(prefix="zl-hosts-"))
links = Links(f"zl{os.getpid()}", ADDRESSES, DELAY_MS / 1000, JITTER_MS / 1000, LOSS)
nodes = {}
names = {}
deposited = []


class Failed(Exception):
    pass


def say(text):
    print(f"hosts: {text}", flush=True)


def demand(truth, text):
    if not truth:
        raise Failed(text)


def on(host, *command, **options):
    """A command on a host."""
    environment = {**os.environ, "LANG": "en_GB.UTF-8", "ZHULIAN_HOME": str(work / "client")}
    return subprocess.run(
        ["ip", "netns", "exec", links.namespace(host), *map(str, command)],
        capture_output=True, text=True, env=environment, timeout=options.pop("timeout", 120), **options,
    )


def zhulian(*arguments, gateway="1", **options):
    return on("c", ZHULIAN, "--url", f"http://{ADDRESSES[gateway]}:{GATEWAY}", *arguments, **options)


def get(path, gateway):
    """An answer of a gateway; None when there is none."""
    code = (
        "import sys,urllib.request as r;"
        "sys.stdout.buffer.write(r.build_opener(r.ProxyHandler({})).open(sys.argv[1],timeout=5).read())"
    )
    out = on("c", sys.executable, "-c", code, f"http://{ADDRESSES[gateway]}:{GATEWAY}{path}")
    return json.loads(out.stdout) if out.returncode == 0 else None


def get_local(host):
    """The status of a node, asked on its own host, whatever its link does."""
    out = on(host, ZHULIAN, "--json", "--url", f"http://127.0.0.1:{GATEWAY}", "status")
    try:
        status = json.loads(out.stdout)
        return status if "phase" in status else None
    except json.JSONDecodeError:
        return None


def until(seconds, what, test):
    begun = time.monotonic()
    while not (found := test()):
        if time.monotonic() - begun > seconds:
            raise Failed(f"waited {seconds} s in vain: {what}")
        time.sleep(0.2)
    return time.monotonic() - begun, found


def start(host, bundle=None, name=None):
    bundle = bundle or work / "hosts" / host
    log = open(work / f"node-{name or host}.log", "ab")
    process = subprocess.Popen(
        ["ip", "netns", "exec", links.namespace(host), ZHULIAN, "node", "run", "--config", str(bundle / "node.json")],
        stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        env={**os.environ, "ZHULIAN_HOME": str(bundle)},
    )
    nodes[name or host] = process
    return process


def stop(host, how=signal.SIGTERM):
    process = nodes.pop(host)
    process.send_signal(how)
    code = process.wait(60)
    demand(how == signal.SIGKILL or code == 0, f"node {host} ended with {code}")


def height(host):
    status = get("/v1/status", host)
    return status["height"] if status and status["phase"] == "running" else None


def connected(host):
    """Names of the validators that a node hears."""
    status = get("/v1/status", host)
    return {peer["name"] for peer in status["peers"] if peer["connected"]} if status else set()


def advances(host, seconds=15):
    before = until(seconds, f"node {host} answers", lambda: height(host))[1]
    return until(seconds, f"a block on node {host}", lambda: (height(host) or 0) > before)[0]


def level(host, with_host, seconds=60):
    """Waits until a node is where another is."""
    def same():
        mine, its = height(host), height(with_host)
        return mine is not None and its is not None and mine >= its
    return until(seconds, f"node {host} is where node {with_host} is", same)[0]


def deposit(number, gateway, wait="60"):
    path = work / "files" / f"{number}.txt"
    path.write_text(f"document {number} of {os.urandom(8).hex()}\n")
    out = zhulian("--timeout", wait, "--key", "court.officer", "--passphrase-file", work / "client" / "keys" / "passphrase",
                  "evidence", "deposit", path, gateway=gateway)
    if out.returncode == 0:
        deposited.append(path)
    return out


def must_deposit(number, gateway):
    out = deposit(number, gateway)
    demand(out.returncode == 0, f"deposit {number} at {gateway}: {out.stdout}{out.stderr}")


def gaps(gateway, since):
    """The longest time between two blocks since a height, and the number of blocks."""
    times, cursor = [], None
    while True:
        page = get(f"/v1/blocks?limit=200{'&cursor=' + cursor if cursor else ''}", gateway)
        times += [(row["height"], row["time_ms"]) for row in page["items"]]
        cursor = page.get("next")
        if not cursor or times[-1][0] <= since:
            break
    times = sorted(time_ms for at, time_ms in times if at >= since)
    return max((b - a for a, b in zip(times, times[1:])), default=0), len(times)


def knock(source, target, message):
    """What a stranger hears who connects to a validator's port and says something: bytes, or how it ended."""
    code = (
        "import socket,sys\n"
        "s=socket.create_connection((sys.argv[1],int(sys.argv[2])),5)\n"
        "s.settimeout(20)\n"
        "s.sendall(bytes.fromhex(sys.argv[3])) if sys.argv[3] else None\n"
        "heard=b''\n"
        "try:\n"
        "  while True:\n"
        "    part=s.recv(4096)\n"
        "    if not part: break\n"
        "    heard+=part\n"
        "except ConnectionError: pass\n"
        "except TimeoutError: print('open',end=' ')\n"
        "print(len(heard))\n"
    )
    out = on(source, sys.executable, "-c", code, ADDRESSES[target], PORT, message.hex())
    # Not even a connection is as good.
    return out.stdout.strip() if out.returncode == 0 else "0"


def found():
    say("network init --hosts; each host gets its own directory and nothing else")
    for out in ("net", "foreign"):
        hosts = ",".join(name_of(host) if BY_NAME else ADDRESSES[host] for host in NODES)
        made = subprocess.run([ZHULIAN, "network", "init", "--hosts", hosts, "--out", work / out], capture_output=True, text=True)
        demand(made.returncode == 0, made.stdout + made.stderr)
    (work / "hosts").mkdir()
    for host, handle in zip(NODES, ["data", "court", "registry", "bank"]):
        shutil.copytree(work / "net" / handle, work / "hosts" / host)
    for path in (work / "hosts").rglob("*"):
        secret = path.suffix == ".zlkey" or path.name == "passphrase"
        demand(not secret or path.stat().st_mode & 0o077 == 0, f"others may read {path}")
    shutil.copytree(work / "net" / "court" / "keys", work / "client" / "keys")
    shutil.copy(work / "net" / "network.json", work / "client")
    (work / "files").mkdir()
    shutil.rmtree(work / "net")


def scenario():
    found()
    links.start()
    say(f"four hosts, known by {'name' if BY_NAME else 'address'}; {DELAY_MS} ± {JITTER_MS} ms each way, {LOSS:.1%} of packets lost")
    for host in NODES:
        start(host)
    took = max(until(90, f"node {host} runs", lambda host=host: height(host))[0] for host in NODES)
    for validator in get("/v1/validators", "1")["items"]:
        if validator["this_node"]:
            names["1"] = validator["name"]
    for host in NODES[1:]:
        names[host] = next(it["name"] for it in get("/v1/validators", host)["items"] if it["this_node"])
    took += until(30, "all hear all", lambda: all(len(connected(host)) == 3 for host in NODES))[0]
    say(f"all four run and hear each other after {took:.0f} s")
    begun = time.monotonic()
    for number in range(4):
        must_deposit(number, NODES[number])
    say(f"a deposit through each gateway, {(time.monotonic() - begun) / 4:.1f} s each, command included")

    say("strangers at the validators' port")
    hello = b"\x00\x00\x01\x00" + os.urandom(256)
    for source, who in (("s", "from an unknown address"), ("2", "from a validator's address")):
        for message in (b"", b"GET / HTTP/1.1\r\n\r\n", hello):
            heard = knock(source, "1", message)
            demand(heard.split()[-1] == "0", f"a stranger {who} heard {heard} bytes")
    demand(height("1") is not None, "node 1 still answers")
    say("  six connections heard nothing, not one byte")

    say("another network's validator in the place of host 2")
    stop("2")
    start("2", bundle=work / "foreign" / "court", name="impostor")
    until(15, "the others miss host 2", lambda: names["2"] not in connected("1"))
    advances("1")
    time.sleep(5)
    demand(names["2"] not in connected("1") | connected("3") | connected("4"), "the impostor is heard as a validator")
    alone = get("/v1/status", "2")
    demand(alone["height"] == 0 and not any(peer["connected"] for peer in alone["peers"]), f"the impostor got something: {alone}")
    stop("impostor", signal.SIGKILL)
    start("2")
    took = level("2", "1")
    say(f"  it was heard by nobody and got nothing; host 2 itself is back {took:.1f} s after its start")

    say("the court's officer replaces its key in one command")
    court = ("--key", "court.officer", "--passphrase-file", work / "client" / "keys" / "passphrase")
    before = json.loads(zhulian("--json", *court, "key", "show").stdout)["public_key"]
    out = zhulian(*court, "key", "rotate", "--overlap", "0")
    demand(out.returncode == 0, f"key rotate: {out.stdout}{out.stderr}")
    demand(json.loads(zhulian("--json", *court, "key", "show").stdout)["public_key"] != before, "the key is another one")
    must_deposit(30, "2")
    old = next((work / "client" / "keys").glob("*zlkey-old-*"))
    shutil.copy(old, work / "client" / "keys" / "old.zlkey")
    path = work / "files" / "31.txt"
    path.write_text("by the old key\n")
    out = zhulian("--key", "old", *court[2:], "evidence", "deposit", path)
    demand(out.returncode == 6, f"a deposit by the old key ended with {out.returncode}: {out.stdout}{out.stderr}")

    say("host 4 is backed up; its disk is lost; it is restored, while its link is cut at first")
    batch = work / "batch"
    batch.mkdir()
    for number in range(20):
        (batch / f"{number}.txt").write_text(f"entry {number} {os.urandom(8).hex()}\n")
    out = zhulian("--key", "court.officer", "--passphrase-file", work / "client" / "keys" / "passphrase",
                  "evidence", "deposit", "--batch", batch, gateway="4")
    demand(out.returncode == 0, f"a batch: {out.stdout}{out.stderr}")
    here, kept = work / "hosts" / "4", work / "backup"
    refused = on("4", ZHULIAN, "backup", here, "--to", kept)
    demand(refused.returncode == 1 and "running" in refused.stderr, f"a backup of a running node: {refused.stdout}{refused.stderr}")
    stop("4")
    out = on("4", ZHULIAN, "backup", here, "--to", kept)
    demand(out.returncode == 0, f"backup: {out.stdout}{out.stderr}")
    demand(not list(kept.rglob("*votes*")) and list(here.rglob("*votes*")), "the vote journal is left out")
    out = on("4", ZHULIAN, "audit", kept, "--network", kept / "network.json")
    demand(out.returncode == 0, f"an audit of the backup: {out.stdout}{out.stderr}")
    start("4")
    level("4", "1")
    refused = on("4", ZHULIAN, "--url", f"http://{ADDRESSES['1']}:{GATEWAY}", "restore", kept, "--to", work / "again")
    demand(refused.returncode == 1 and "up elsewhere" in refused.stderr, f"restoring a validator that is up: {refused.stdout}{refused.stderr}")
    must_deposit(40, "4")
    stop("4", signal.SIGKILL)
    shutil.rmtree(here)
    until(20, "it is missed", lambda: names["4"] not in connected("1"))
    out = on("4", ZHULIAN, "--url", f"http://{ADDRESSES['1']}:{GATEWAY}", "restore", kept, "--to", here)
    demand(out.returncode == 0, f"restore: {out.stdout}{out.stderr}")
    links.cut.add("4")
    start("4")
    time.sleep(20)
    status = get_local("4")
    demand(status is None or (status["phase"] == "starting" and status["height"] == 0), f"it began by itself: {status}")
    links.cut.clear()
    took = level("4", "1")
    must_deposit(41, "4")
    out = zhulian("evidence", "check", batch / "7.txt", gateway="4")
    demand(out.returncode == 0, f"an entry of the batch at the restored node: {out.stdout}{out.stderr}")
    advances("4")
    for host in NODES:
        for validator in get("/v1/validators", host)["items"]:
            demand(validator["misbehaviour"] == 0, f"{validator['name']} voted twice, says host {host}")
    say(f"  alone it waits and does not vote; with the others it is level after {took:.1f} s, has its batches, and voted nothing twice")

    say("the link of host 3 is cut")
    links.cut.add("3")
    until(20, "it is missed", lambda: names["3"] not in connected("1"))
    why = zhulian("why-stalled")
    demand(why.returncode == 0 and names["3"] in why.stdout, f"why-stalled: {why.stdout}")
    since = height("1")
    for number in range(10, 16):
        must_deposit(number, "1")
    advances("1")
    longest, blocks = gaps("1", since)
    say(f"  three go on: 6 deposits, {blocks} blocks, longest gap {longest} ms; why-stalled names host 3")
    links.cut.clear()
    took = level("3", "1")
    say(f"  healed: host 3 is level after {took:.1f} s")

    say("the links of hosts 3 and 4 are cut: no quorum")
    links.cut.update("34")
    until(30, "the stall is said", lambda: (get("/v1/status", "1") or {}).get("stall"))
    stalled = height("1")
    why = zhulian("why-stalled")
    demand(why.returncode != 0 and names["3"] in why.stdout and names["4"] in why.stdout, f"why-stalled: {why.stdout}")
    out = deposit(20, "1", wait="8")
    demand(out.returncode == 7, f"a deposit without a quorum ended with {out.returncode}: {out.stdout}{out.stderr}")
    demand(height("1") == stalled, "a block without a quorum")
    say("  nothing is acknowledged, and why-stalled names both")
    links.cut.clear()
    took, _ = until(60, "blocks again", lambda: (height("1") or 0) > stalled)
    say(f"  healed: a block after {took:.1f} s")
    must_deposit(21, "2")
    again = zhulian("evidence", "check", work / "files" / "20.txt")
    say(f"  the deposit that was given up on is {'final after all' if again.returncode == 0 else 'not deposited'}, as its receipt says")

    say("rolling restart of all four under load")
    until(60, "all hear all", lambda: all(len(connected(host)) == 3 for host in NODES))
    since, failures, busy, down = height("1"), [], threading.Event(), [None]
    busy.set()

    def load():
        number = 100
        while busy.is_set():
            gateway = next(host for host in ("4", "1") if host != down[0])
            out = deposit(number, gateway)
            if out.returncode != 0:
                failures.append((number, gateway, out.stdout + out.stderr))
            number += 1

    loader = threading.Thread(target=load)
    loader.start()
    try:
        for host in NODES:
            down[0] = host
            time.sleep(3)  # a deposit under way through this host's gateway ends first
            begun = time.monotonic()
            stop(host)
            stopped = time.monotonic() - begun
            other = "2" if host == "1" else "1"
            moved = advances(other)
            start(host)
            took = level(host, other)
            # The next one only when this one is heard by all again: the rule of a rolling restart.
            until(60, "it is heard by all", lambda: all(names[host] in connected(it) for it in NODES if it != host))
            down[0] = None
            say(f"  host {host}: down after {stopped:.1f} s, a block of the others {moved:.1f} s later, level {took:.1f} s after its start")
    finally:
        busy.clear()
        loader.join(90)
    longest, blocks = gaps("1", since)
    count = sum(1 for path in deposited if int(path.stem) >= 100)
    demand(not failures, f"deposits failed: {failures[:2]}")
    demand(count >= 4, f"only {count} deposits")
    demand(longest < 20_000, f"no block for {longest} ms")
    say(f"  {count} deposits, none failed; {blocks} blocks, longest gap {longest} ms")

    say("at the end: every receipt verifies offline, every node knows every deposit, and all have the same chain")
    tip = min(height(host) for host in NODES)
    digests = {get(f"/v1/blocks/{tip}", host)["digest"] for host in NODES}
    demand(len(digests) == 1, f"the nodes differ at height {tip}: {digests}")
    links.cut.add("c")
    for path in deposited:
        out = zhulian("verify", path)
        demand(out.returncode == 0, f"verify {path}: {out.stdout}{out.stderr}")
    links.cut.clear()
    for host in NODES:
        level(host, "1" if host != "1" else "2")
        for path in deposited:
            out = zhulian("evidence", "check", path, gateway=host)
            demand(out.returncode == 0, f"node {host} does not know {path}: {out.stdout}{out.stderr}")
    say(f"  {len(deposited)} deposits, {tip} blocks; {links.carried} packets carried, {links.lost} lost")
    for host in NODES:
        stop(host)
    demand(not any("panicked" in (work / f"node-{host}.log").read_text(errors="replace") for host in NODES), "a node panicked")


def main():
    begun, code = time.monotonic(), 1
    try:
        scenario()
        say(f"all steps passed in {time.monotonic() - begun:.0f} s")
        code = 0
    except (Failed, subprocess.TimeoutExpired, KeyboardInterrupt) as failure:
        say(f"FAILED: {failure}")
        for log in sorted(work.glob("node-*.log")):
            print(f"--- {log.name}", *log.read_text(errors="replace").splitlines()[-12:], sep="\n", file=sys.stderr)
    finally:
        for process in nodes.values():
            process.kill()
            process.wait()
        links.stop()
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(code)


main()
