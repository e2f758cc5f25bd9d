//! What this runs on, and how bytes on the wire are counted.

use std::process::Command;

use crate::Result;

/// Set in the environment of a run in a network namespace of its own, where loopback carries nothing else.
pub const ALONE: &str = "P2PMAP_BENCH_ALONE";

/// A command that starts another one in a new network namespace, with loopback up. The program follows as an argument.
pub fn apart() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "sh", "-c", r#"ip link set lo up && exec "$0" "$@""#]);
    command.env(ALONE, "1");
    command
}

/// Whether new network namespaces can be made here.
pub fn can_be_apart() -> bool {
    let tried = apart().arg("true").output();
    tried.is_ok_and(|output| output.status.success())
}

/// Bytes that loopback has carried in this network namespace, headers included; `None` when others use it too.
pub fn wire_bytes() -> Option<u64> {
    std::env::var_os(ALONE)?;
    let devices = std::fs::read_to_string("/proc/self/net/dev").ok()?;
    let loopback = devices.lines().find_map(|line| line.trim().strip_prefix("lo:"))?;
    loopback.split_whitespace().next()?.parse().ok()
}

/// Memory of this process that is in use.
pub fn resident_bytes() -> Result<u64> {
    resident_bytes_of(std::process::id())
}

/// Memory of that process that is in use.
pub fn resident_bytes_of(process: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(resident.trim().trim_end_matches("kB").trim().parse::<u64>()? * 1024)
}

/// The conditions of a run: (what, value).
pub fn conditions() -> Vec<(&'static str, String)> {
    vec![
        ("date", said("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
        ("processor", processor()),
        ("kernel", said("uname", &["-sr"])),
        ("compiler", said("rustc", &["--version"])),
        ("p2pmap", p2pmap::VERSION.to_owned()),
        ("scheduling", scheduling().to_owned()),
        ("load before", load()),
    ]
}

/// The load averages of the last 1, 5 and 15 minutes.
pub fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// Whether this run goes before everything else on the machine (`chrt -r 5 make bench`, on one that is busy).
fn scheduling() -> &'static str {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The 41st field; the second may hold spaces, and ends with the last parenthesis.
    let policy = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(38));
    match policy {
        Some("1" | "2") => "real time, before everything else that ran meanwhile",
        _ => "ordinary",
    }
}

fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name =
        info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("unknown", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{name}, {cores} cores")
}

fn said(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    output.map_or("unknown".into(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Memory that nobody uses, or that is given up when it is wanted.
pub fn available_bytes() -> Result<u64> {
    let memory = std::fs::read_to_string("/proc/meminfo")?;
    let available = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:")).ok_or("no MemAvailable")?;
    Ok(available.trim().trim_end_matches("kB").trim().parse::<u64>()? * 1024)
}

/// Cargo, as the one that runs this.
pub fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The C library, built from the sources as they are.
pub fn c_library() -> Result<std::path::PathBuf> {
    let built =
        Command::new(cargo()).args(["build", "--quiet", "--release", "-p", "p2pmap-ffi"]).current_dir(root()).status()?;
    let library = std::env::current_exe()?.with_file_name("libp2pmap_c.so");
    match built.success() && library.exists() {
        true => Ok(library),
        false => Err("the C library does not build".into()),
    }
}

/// The C compiler, asked for no more than what every program here needs.
pub fn c_compiler() -> Command {
    let mut command = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".into()));
    command.args(["-std=c11", "-O2", "-Wall", "-Werror"]);
    command
}

/// A C program of `tests/bench/languages/c` that uses the library, built from the sources as they are.
pub fn c_program(name: &str) -> Result<Command> {
    let library = c_library()?;
    let program = library.with_file_name(format!("p2pmap-bench-{name}"));
    let built = c_compiler()
        .arg("-o")
        .arg(&program)
        .arg(root().join(format!("tests/bench/languages/c/{name}.c")))
        .arg(format!("-I{}", root().join("include").display()))
        .arg(&library)
        .arg("-pthread")
        .status()?;
    if !built.success() {
        return Err(format!("{name}.c does not compile").into());
    }
    // Preloaded, because it is not installed under the name that the program asks for.
    let mut command = Command::new(program);
    command.env("LD_PRELOAD", library);
    Ok(command)
}

/// The top of the repository.
pub fn root() -> &'static std::path::Path {
    std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
