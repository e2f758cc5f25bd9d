//! Row 3: `get` from Python, Node.js and Go, beside the fastest native calls that return as much in those languages.
//!
//! Each language has its programs in `tests/bench/languages`. They measure the floor themselves, in the same process, and print
//! lines of what was measured, the figure, what the floor is, the floor and the goal, with tabs between.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::report::{Figures, Floor, Line, Unit};
use crate::rows::reads::BLOCK;
use crate::{Effort, Result, machine};

pub fn measure(effort: Effort) -> Result<Figures> {
    let entries: usize = effort.pick(100_000, 1_000_000);
    let rounds: usize = effort.pick(500, 2_000);
    let (args, samples) = ([entries.to_string(), rounds.to_string()], format!("{rounds} x {BLOCK}"));
    let mut lines = Vec::new();
    for program in [python("get.py")?, node("get.mjs")?, go("get")?].into_iter().flatten() {
        lines.extend(measured(program, &args, 3, Unit::Nanoseconds, &samples)?);
    }
    Ok(lines.into())
}

/// What a program says that it has measured.
pub fn measured(mut program: Command, args: &[String], row: u8, unit: Unit, samples: &str) -> Result<Vec<Line>> {
    let output = program.args(args).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{program:?}: {}", output.status).into());
    }
    let line = |said: &str| match said.split('\t').collect::<Vec<_>>()[..] {
        [what, ours, floor, floor_is, goal] => Ok(Line {
            row,
            what: what.into(),
            unit,
            ours: ours.parse()?,
            p99: None,
            floor: Some(Floor { what: floor.into(), is: floor_is.parse()?, p99: None }),
            samples: samples.into(),
            goal: goal.into(),
        }),
        _ => Err(format!("{program:?} says: {said}").into()),
    };
    String::from_utf8(output.stdout)?.lines().map(line).collect()
}

/// A Python program, with the package that `make python` installs.
pub fn python(script: &str) -> Result<Option<Command>> {
    let interpreter = machine::root().join("build/venv-python/bin/python");
    if !has("python")? {
        return Ok(None);
    }
    if !interpreter.exists() {
        return Err("the Python package is not installed: make python".into());
    }
    let mut command = Command::new(interpreter);
    command.arg(machine::root().join("tests/bench/languages/python").join(script));
    Ok(Some(command))
}

/// A Node.js program, with the package that `make node` builds. `P2PMAP_BENCH_NATIVE` tells it where the native functions are that
/// are its floors; without them it takes functions of Node.js.
pub fn node(script: &str) -> Result<Option<Command>> {
    if !has("node")? {
        return Ok(None);
    }
    let here = machine::root().join("tests/bench/languages/node");
    let mut command = Command::new("node");
    command.arg(here.join(script));
    if let Some(native) = native(&here)? {
        command.env("P2PMAP_BENCH_NATIVE", native);
    }
    Ok(Some(command))
}

/// The functions in C for Node.js, compiled with the headers that came with it; `None` where they did not.
fn native(here: &Path) -> Result<Option<PathBuf>> {
    let said = Command::new("node").args(["-p", "require('path').resolve(process.execPath, '../../include/node')"]).output()?;
    let headers = PathBuf::from(String::from_utf8(said.stdout)?.trim());
    if !headers.join("node_api.h").exists() {
        return Ok(None);
    }
    let library = std::env::current_exe()?.with_file_name("p2pmap-bench-native.node");
    let built = machine::c_compiler()
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(here.join("native.c"))
        .arg("-isystem")
        .arg(headers)
        .status()?;
    match built.success() {
        true => Ok(Some(library)),
        false => Err("the floors of Node.js do not compile".into()),
    }
}

/// What the Go program does in that role, with the library as it is now.
pub fn go(role: &str) -> Result<Option<Command>> {
    if !has("go")? {
        return Ok(None);
    }
    machine::c_library()?;
    let program = std::env::current_exe()?.with_file_name("p2pmap-bench-go");
    let built = Command::new("sh")
        .args(["-c", r#"eval "$(bindings/go/test.sh env)" && exec go build -C tests/bench/languages/go -o "$0" ."#])
        .arg(&program)
        .current_dir(machine::root())
        .status()?;
    if !built.success() {
        return Err("the Go program does not build".into());
    }
    let mut command = Command::new(program);
    command.arg(role);
    Ok(Some(command))
}

/// Whether a language's tools are here; says so when they are not.
fn has(language: &str) -> Result<bool> {
    let toolchain = machine::root().join("tests/toolchain.sh");
    let has = Command::new(toolchain).args(["-q", language]).status()?.success();
    if !has {
        eprintln!("left out: {language}, as tests/toolchain.sh {language} says");
    }
    Ok(has)
}
