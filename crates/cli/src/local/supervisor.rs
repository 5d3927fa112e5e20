//! Keeps child processes running: starts them, says when one dies, starts it again after a while, stops all in order.
//!
//! A child ends when its standard input ends, and that ends with this process, however it ends: a pipe is closed by the kernel even
//! after `kill -9`. So no process is ever left behind, and no signal has to reach a child.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// A process to keep running.
#[derive(Clone, Debug)]
pub struct Child {
    /// What people know it by.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Where its output goes, appended.
    pub log: PathBuf,
}

/// What happened to a child.
#[derive(Clone, Debug)]
pub enum Event {
    /// It runs, with this process id.
    Started(usize, u32),
    /// It ended though it should not, and is started again after the pause.
    Died(usize, ExitStatus, Duration),
    /// It could not be started, and is tried again after the pause.
    Failed(usize, String, Duration),
}

const POLL: Duration = Duration::from_millis(50);
/// How long a child may take to stop before it is killed.
const GRACE: Duration = Duration::from_secs(20);
const PAUSE_FIRST: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// A child that ran for so long has recovered; the next pause is short again.
const HEALTHY: Duration = Duration::from_secs(60);

/// Children that are kept running until this is stopped or dropped.
pub struct Supervisor {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    /// What happens, in order.
    pub events: Receiver<Event>,
}

impl Supervisor {
    /// Starts the children.
    pub fn start(children: Vec<Child>) -> Self {
        let (send, events) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let watch = |(index, child): (usize, Child)| {
            let (send, stop) = (send.clone(), stop.clone());
            std::thread::spawn(move || keep(index, &child, &send, &stop))
        };
        let threads = children.into_iter().enumerate().map(watch).collect();
        Self { stop, threads, events }
    }

    /// Stops all children and waits for their end.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.end();
    }
}

fn keep(index: usize, child: &Child, send: &Sender<Event>, stop: &AtomicBool) {
    let mut pause = PAUSE_FIRST;
    while !stop.load(Ordering::SeqCst) {
        let began = Instant::now();
        // Nobody may listen to events any more; that is no reason to stop.
        match spawn(child) {
            Ok(process) => {
                let _ = send.send(Event::Started(index, process.id()));
                let Some(status) = run(process, stop) else { return };
                if began.elapsed() > HEALTHY {
                    pause = PAUSE_FIRST;
                }
                let _ = send.send(Event::Died(index, status, pause));
            }
            Err(error) => {
                let _ = send.send(Event::Failed(index, error.to_string(), pause));
            }
        }
        let again = Instant::now() + pause;
        while Instant::now() < again && !stop.load(Ordering::SeqCst) {
            std::thread::sleep(POLL);
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

fn spawn(child: &Child) -> io::Result<std::process::Child> {
    let log: File = OpenOptions::new().create(true).append(true).open(&child.log)?;
    Command::new(&child.program)
        .args(&child.arguments)
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log)
        // A group of its own, so that Ctrl-C in the terminal reaches this process only, which then stops all in order.
        .process_group(0)
        .spawn()
}

/// Waits for the end of a process. `None` when it was stopped.
fn run(mut process: std::process::Child, stop: &AtomicBool) -> Option<ExitStatus> {
    let mut input = process.stdin.take();
    let mut kill_at = None;
    loop {
        match process.try_wait() {
            Ok(Some(status)) if kill_at.is_none() => return Some(status),
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => return None,
        }
        if stop.load(Ordering::SeqCst) {
            drop(input.take());
            let at = *kill_at.get_or_insert_with(|| Instant::now() + GRACE);
            if Instant::now() > at {
                let _ = process.kill();
            }
        }
        std::thread::sleep(POLL);
    }
}

/// Resolves when standard input ends: for a supervised child, when its parent stops it or is gone.
pub async fn ended_by_parent() {
    let (send, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        let mut input = io::stdin().lock();
        loop {
            match input.read(&mut buffer) {
                Ok(0) => break,
                Err(error) if error.kind() != io::ErrorKind::Interrupted => break,
                _ => {}
            }
        }
        let _ = send.send(());
    });
    let _ = end.await;
}
