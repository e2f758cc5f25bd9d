//! Servers: programs of others that are started here, and end with what started them, however that ends.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use p2pmap_bench::Result;
use rustix::process::{Signal, set_parent_process_death_signal};

/// How long a server may take to start.
const START: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(5);

/// A process that ends with this value.
pub struct Server(Child);

impl Server {
    pub fn start(program: &str, args: &[&str]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--role", "server", program]).args(args);
        Ok(Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `server PROGRAM ARGUMENT...`: becomes that program, which is killed when the process that asked for it is gone.
pub fn become_server(args: &[String]) -> Result<()> {
    let [program, args @ ..] = args else { return Err("server PROGRAM ARGUMENT...".into()) };
    set_parent_process_death_signal(Some(Signal::KILL))?;
    Err(Command::new(program).args(args).exec().into())
}

/// A TCP port of loopback that nobody uses.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// A new directory for a server's data, among the temporary ones.
pub fn data_directory(name: &str) -> Result<PathBuf> {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("p2pmap-bench-{name}-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&path)?;
    Ok(path)
}

/// Tries until it succeeds.
pub fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> Result<T> {
    let start = Instant::now();
    while start.elapsed() < START {
        if let Some(got) = attempt() {
            return Ok(got);
        }
        std::thread::sleep(LOOK);
    }
    Err(format!("not within {} s: {what}", START.as_secs()).into())
}
