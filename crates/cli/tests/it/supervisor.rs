//! Children are kept running, and none is left behind.

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::mpsc::Receiver,
    time::{Duration, Instant},
};

use zhulian_cli::local::{Child, Event, Supervisor};

/// `cat` ends when its input ends, as our nodes do.
fn cat(dir: &Path) -> Child {
    Child { name: "cat".into(), program: "cat".into(), arguments: Vec::new(), log: dir.join("log") }
}

fn started(events: &Receiver<Event>) -> u32 {
    loop {
        match events.recv_timeout(Duration::from_secs(20)).expect("an event") {
            Event::Started(0, pid) => return pid,
            Event::Died(..) => {}
            other => panic!("{other:?}"),
        }
    }
}

fn is_running(pid: u32) -> bool {
    // A child that nobody has waited for yet is a zombie, and runs no more.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with('Z'))
}

#[test]
fn a_killed_child_is_started_again_and_a_stopped_one_is_not() {
    let dir = tempfile::tempdir().expect("a directory");
    let supervisor = Supervisor::start(vec![cat(dir.path())]);
    let first = started(&supervisor.events);
    assert!(Command::new("kill").args(["-9", &first.to_string()]).status().expect("kill runs").success());
    let second = started(&supervisor.events);
    assert_ne!(first, second);
    let began = Instant::now();
    supervisor.stop();
    assert!(began.elapsed() < Duration::from_secs(5), "a child that ends with its input stops at once");
    assert!(!is_running(second));
}

#[test]
fn what_cannot_be_started_is_said() {
    let dir = tempfile::tempdir().expect("a directory");
    let child = Child { program: dir.path().join("no-such-program"), ..cat(dir.path()) };
    let supervisor = Supervisor::start(vec![child]);
    assert!(matches!(supervisor.events.recv_timeout(Duration::from_secs(5)), Ok(Event::Failed(0, ..))));
}

/// Not a test of its own: the parent that the next test kills.
#[test]
#[ignore = "helper of children_end_with_a_killed_parent"]
fn parent() {
    let dir = std::env::var("SUPERVISOR_DIR").expect("called by the other test");
    let supervisor = Supervisor::start(vec![cat(Path::new(&dir))]);
    let pid = started(&supervisor.events);
    std::fs::write(Path::new(&dir).join("pid"), pid.to_string()).expect("a file");
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn children_end_with_a_killed_parent() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut parent = Command::new(std::env::current_exe().expect("this program"))
        .args(["supervisor::parent", "--exact", "--ignored"])
        .env("SUPERVISOR_DIR", dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("the helper starts");
    let wait = |done: &dyn Fn() -> bool| {
        let end = Instant::now() + Duration::from_secs(20);
        while !done() {
            assert!(Instant::now() < end, "waited in vain");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let path = dir.path().join("pid");
    let read = || std::fs::read_to_string(&path).ok().and_then(|text| text.parse::<u32>().ok());
    wait(&|| read().is_some());
    let child = read().expect("a process id");
    assert!(is_running(child));
    parent.kill().expect("the helper is killed");
    parent.wait().expect("it is gone");
    wait(&|| !is_running(child));
}
