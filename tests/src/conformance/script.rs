//! A script as data: lines become steps. Tokens stay as written until they are played, since variables come and go.

use std::collections::BTreeSet;
use std::path::Path;

const MAX_LINE_BYTES: usize = 4000;
const MAX_TOKENS: usize = 64;
const MAX_NAMES: usize = 32;
const MAX_NAME_BYTES: usize = 31;

/// Operations whose first argument is a new handle.
const OPENERS: [&str; 5] = ["node", "map", "open", "subscribe", "watch"];

pub struct Script {
    pub steps: Vec<Step>,
}

pub struct Step {
    pub line: usize,
    pub awaited: bool,
    pub op: String,
    pub args: Vec<String>,
    pub expect: Expect,
}

/// What a step's result must be.
pub enum Expect {
    /// Anything but an error.
    Success,
    /// Exactly these tokens.
    Tokens(Vec<String>),
    /// One token and no error, to be remembered under this name.
    Variable(String),
}

/// Why a text is no script.
#[derive(Debug)]
pub struct Refused {
    pub line: usize,
    pub why: String,
}

impl Script {
    pub fn read(path: &Path) -> Result<Self, Refused> {
        let text = std::fs::read_to_string(path).map_err(|error| Refused { line: 0, why: error.to_string() })?;
        Self::parse(&text)
    }

    pub fn parse(text: &str) -> Result<Self, Refused> {
        if !text.starts_with("# ") {
            return Err(Refused { line: 1, why: "a script opens with a line that says what it shows".into() });
        }
        let mut steps = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            steps.push(Step::parse(index + 1, line).map_err(|why| Refused { line: index + 1, why })?);
        }
        check_names(&steps)?;
        Ok(Self { steps })
    }
}

impl Step {
    fn parse(line: usize, text: &str) -> Result<Self, String> {
        if text.len() > MAX_LINE_BYTES {
            return Err(format!("a line has at most {MAX_LINE_BYTES} bytes"));
        }
        let mut words: Vec<&str> = text.split(' ').collect();
        if words.len() > MAX_TOKENS {
            return Err(format!("a line has at most {MAX_TOKENS} tokens"));
        }
        if words.contains(&"") {
            return Err("tokens stand between single spaces".into());
        }
        let awaited = words[0] == "await";
        if awaited {
            words.remove(0);
        }
        let expect = match words.iter().position(|word| matches!(*word, "->" | "=>")) {
            None => Expect::Success,
            Some(arrow) => expectation(&words.split_off(arrow))?,
        };
        if awaited && !matches!(expect, Expect::Tokens(_)) {
            return Err("an awaited step says what it awaits".into());
        }
        let [op, args @ ..] = words.as_slice() else {
            return Err("a step without an operation".into());
        };
        Ok(Self { line, awaited, op: op.to_string(), args: owned(args), expect })
    }
}

fn expectation(words: &[&str]) -> Result<Expect, String> {
    match words {
        ["=>", variable] => Ok(Expect::Variable(variable.to_string())),
        ["->", tokens @ ..] if !tokens.is_empty() => Ok(Expect::Tokens(owned(tokens))),
        _ => Err("`->` is followed by tokens, `=>` by one name".into()),
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| word.to_string()).collect()
}

/// Handles are given once, and there are not too many names.
fn check_names(steps: &[Step]) -> Result<(), Refused> {
    let (mut handles, mut variables) = (BTreeSet::new(), BTreeSet::new());
    for step in steps {
        let refuse = |why: String| Err(Refused { line: step.line, why });
        if OPENERS.contains(&step.op.as_str()) {
            let Some(name) = step.args.first() else {
                return refuse(format!("{} needs a name", step.op));
            };
            if let Err(why) = check_name(name) {
                return refuse(why);
            }
            if !handles.insert(name) {
                return refuse(format!("{name} was given before"));
            }
        }
        if let Expect::Variable(name) = &step.expect {
            if let Err(why) = check_name(name) {
                return refuse(why);
            }
            variables.insert(name);
        }
        if handles.len().max(variables.len()) > MAX_NAMES {
            return refuse(format!("a script has at most {MAX_NAMES} handles and as many variables"));
        }
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    match name.len() <= MAX_NAME_BYTES && name.bytes().all(allowed) {
        true => Ok(()),
        false => Err(format!("{name}: a name has at most {MAX_NAME_BYTES} bytes of a-z 0-9 _")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        match Script::parse(text) {
            Ok(_) => panic!("accepted: {text}"),
            Err(refused) => format!("{}: {}", refused.line, refused.why),
        }
    }

    #[test]
    fn a_step_is_an_operation_its_tokens_and_what_it_expects() {
        let script = Script::parse("# Story.\n\nawait get m k -> a b\nid n => id\nclose n\n").unwrap();
        let [first, second, third] = script.steps.as_slice() else { panic!("three steps") };
        assert!(first.awaited && first.line == 3 && first.op == "get" && first.args == ["m", "k"]);
        assert!(matches!(&first.expect, Expect::Tokens(tokens) if tokens == &["a", "b"]));
        assert!(matches!(&second.expect, Expect::Variable(name) if name == "id"));
        assert!(matches!(&third.expect, Expect::Success));
    }

    #[test]
    fn a_text_that_breaks_the_format_is_refused_with_its_line() {
        assert!(refused("get m k").starts_with("1: a script opens"));
        assert!(refused("# s\nget m  k").starts_with("2: tokens stand"));
        assert!(refused("# s\nawait get m k").starts_with("2: an awaited step"));
        assert!(refused("# s\nget m k ->").starts_with("2: `->`"));
        assert!(refused("# s\nnode n\nnode n").starts_with("3: n was given"));
        assert!(refused("# s\nnode N").starts_with("2: N: a name"));
        assert!(refused(&format!("# s\nget m {}", "k".repeat(4000))).starts_with("2: a line"));
        assert!(refused(&format!("# s\nget{}", " k".repeat(64))).starts_with("2: a line"));
    }
}
