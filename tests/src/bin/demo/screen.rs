//! What the demo prints: live lines with the time and who says it, in colour on a terminal.

use std::io::IsTerminal;
use std::time::Instant;

use crate::language::Language;

/// The terminal's red, green and grey.
const RED: u8 = 196;
const GREEN: u8 = 42;
const GREY: u8 = 245;

#[derive(Clone, Copy)]
pub struct Screen {
    start: Instant,
    colours: bool,
}

impl Screen {
    pub fn new() -> Self {
        Self { start: Instant::now(), colours: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() }
    }

    pub fn title(&self, text: &str) {
        println!("\n{}", self.paint(text, None));
    }

    /// A line of one process.
    pub fn line(&self, name: &str, language: &Language, text: &str) {
        let name = self.paint(&format!("{name:<8}"), Some(language.colour));
        println!("{} {name} {text}", self.time());
    }

    /// A line about all of them.
    pub fn good(&self, text: &str) {
        println!("{} {}", self.time(), self.paint(&format!("{:<8} {text}", "all"), Some(GREEN)));
    }

    pub fn row(&self, text: &str, language: Option<&Language>) {
        println!("{}", self.paint(text, language.map(|language| language.colour)));
    }

    pub fn warn(&self, text: &str) {
        println!("demo: {text}");
    }

    pub fn failed(&self, problem: &str) {
        println!("\n{}", self.paint(&format!("demo: FAILED: {problem}"), Some(RED)));
    }

    pub fn passed(&self, text: &str) {
        println!("\n{}", self.paint(&format!("{text}, after {:.1} s", self.start.elapsed().as_secs_f64()), Some(GREEN)));
    }

    fn time(&self) -> String {
        self.paint(&format!("{:7.3}", self.start.elapsed().as_secs_f64()), Some(GREY))
    }

    /// A colour, or bold.
    fn paint(&self, text: &str, colour: Option<u8>) -> String {
        match (self.colours, colour) {
            (false, _) => text.to_owned(),
            (true, Some(colour)) => format!("\x1b[38;5;{colour}m{text}\x1b[0m"),
            (true, None) => format!("\x1b[1m{text}\x1b[0m"),
        }
    }
}
