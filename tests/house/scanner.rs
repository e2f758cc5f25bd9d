//! Rust sources, line by line, with code, comments and literals told apart. Not a parser: just enough for the rules.

/// One line. `code` has comments and the insides of literals blanked, so that braces and words in it are the program's.
#[derive(Default)]
pub struct Line {
    pub code: String,
    pub comment: String,
    /// Part of an item under `#[cfg(test)]`.
    pub test: bool,
}

enum State {
    Code,
    LineComment,
    BlockComment { depth: usize },
    Text,
    RawText { hashes: usize },
}

pub fn scan(text: &str) -> Vec<Line> {
    let mut lines = separate(text);
    mark_tests(&mut lines);
    lines
}

fn separate(text: &str) -> Vec<Line> {
    let chars: Vec<char> = text.chars().collect();
    let mut lines = vec![Line::default()];
    let mut state = State::Code;
    let mut at = 0;
    while at < chars.len() {
        // Invariant: there is always a last line.
        let line = lines.last_mut().unwrap();
        let rest = &chars[at..];
        if rest[0] == '\n' {
            if matches!(state, State::LineComment) {
                state = State::Code;
            }
            lines.push(Line::default());
            at += 1;
            continue;
        }
        let taken;
        (state, taken) = step(state, rest, line);
        at += taken;
    }
    lines
}

/// Takes what comes next in a state: the state after it, and how many characters it was.
fn step(state: State, rest: &[char], line: &mut Line) -> (State, usize) {
    match state {
        State::Code => code(rest, line),
        State::LineComment => {
            line.comment.push(rest[0]);
            (State::LineComment, 1)
        }
        State::BlockComment { depth } => match rest {
            ['*', '/', ..] if depth == 1 => (State::Code, 2),
            ['*', '/', ..] => (State::BlockComment { depth: depth - 1 }, 2),
            ['/', '*', ..] => (State::BlockComment { depth: depth + 1 }, 2),
            _ => {
                line.comment.push(rest[0]);
                (State::BlockComment { depth }, 1)
            }
        },
        State::Text => match rest {
            ['\\', '\n', ..] => (State::Text, 1),
            ['\\', _, ..] => (State::Text, 2),
            ['"', ..] => {
                line.code.push('"');
                (State::Code, 1)
            }
            _ => (State::Text, 1),
        },
        State::RawText { hashes } => {
            let closes = rest[0] == '"' && rest[1..].iter().take_while(|c| **c == '#').count() >= hashes;
            match closes {
                true => (State::Code, 1 + hashes),
                false => (State::RawText { hashes }, 1),
            }
        }
    }
}

fn code(rest: &[char], line: &mut Line) -> (State, usize) {
    let after_word = line.code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    match rest {
        ['/', '/', ..] => (State::LineComment, 2),
        ['/', '*', ..] => (State::BlockComment { depth: 1 }, 2),
        ['"', ..] => {
            line.code.push('"');
            (State::Text, 1)
        }
        ['r', ..] | ['b', 'r', ..] if !after_word && raw_hashes(rest).is_some() => {
            let hashes = raw_hashes(rest).unwrap_or_default();
            let prefix = rest.iter().take_while(|c| **c != '"').count();
            (State::RawText { hashes }, prefix + 1)
        }
        ['\'', '\\', ..] => {
            let length = rest[2..].iter().skip(1).take_while(|c| **c != '\'').count();
            (State::Code, length + 4)
        }
        ['\'', _, '\'', ..] => (State::Code, 3),
        _ => {
            line.code.push(rest[0]);
            (State::Code, 1)
        }
    }
}

/// The number of hashes if a raw string starts here.
fn raw_hashes(rest: &[char]) -> Option<usize> {
    let after = rest.iter().skip_while(|c| matches!(c, 'b' | 'r'));
    let hashes = after.clone().take_while(|c| **c == '#').count();
    (after.clone().nth(hashes) == Some(&'"')).then_some(hashes)
}

/// Marks every item under `#[cfg(test)]`, from the attribute to the item's end.
fn mark_tests(lines: &mut [Line]) {
    let mut index = 0;
    while index < lines.len() {
        if lines[index].code.trim_start().starts_with("#[cfg(test)]") {
            let end = item_end(lines, index, "#[cfg(test)]".len());
            lines[index..=end].iter_mut().for_each(|line| line.test = true);
            index = end;
        }
        index += 1;
    }
}

/// The line on which the item that starts at a line ends: at its closing brace, or at a semicolon before any brace.
/// `skip` bytes of the first line's code are not looked at.
pub fn item_end(lines: &[Line], start: usize, skip: usize) -> usize {
    let (mut braces, mut brackets) = (0_i32, 0_i32);
    for (index, line) in lines.iter().enumerate().skip(start) {
        let code = if index == start { line.code.trim_start().get(skip..).unwrap_or_default() } else { &line.code };
        for c in code.chars() {
            match c {
                '(' | '[' => brackets += 1,
                ')' | ']' => brackets -= 1,
                '{' => braces += 1,
                '}' => braces -= 1,
                _ => {}
            }
            let ends = (c == '}' && braces == 0) || (c == ';' && braces == 0 && brackets == 0);
            if ends {
                return index;
            }
        }
    }
    lines.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(text: &str) -> String {
        scan(text).into_iter().map(|line| line.code).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn literals_and_comments_are_not_code() {
        assert_eq!(code_of("let a = \"{ // }\"; // {"), "let a = \"\"; ");
        assert_eq!(code_of("let a = r#\"\"{\"#; b"), "let a = ; b");
        assert_eq!(code_of("a /* { /* } */ */ b"), "a  b");
        assert_eq!(code_of("let a = '{'; let b = '\\''; let c = '\\u{7d}'; d"), "let a = ; let b = ; let c = ; d");
        assert_eq!(code_of("fn f<'a>(x: &'a str) {}"), "fn f<'a>(x: &'a str) {}");
        assert_eq!(code_of("\"a\\\"b\" c"), "\"\" c");
        assert_eq!(code_of("\"two\nlines {\" c"), "\"\n\" c");
    }

    #[test]
    fn comments_are_kept_beside_the_code() {
        let lines = scan("a // why\n/* because\nof */ b");
        let comments: Vec<&str> = lines.iter().map(|line| line.comment.trim()).collect();
        assert_eq!(comments, ["why", "because", "of"]);
    }

    #[test]
    fn an_item_under_cfg_test_is_marked_to_its_end() {
        let marked = |text: &str| scan(text).iter().map(|line| line.test).collect::<Vec<_>>();
        assert_eq!(marked("a\n#[cfg(test)]\nmod t {\n{ }\n}\nb"), [false, true, true, true, true, false]);
        assert_eq!(marked("#[cfg(test)]\nmod t;\nb"), [true, true, false]);
        assert_eq!(marked("#[cfg(test)]\nfn f() -> [u8; 2] {\n}\nb"), [true, true, true, false]);
    }
}
