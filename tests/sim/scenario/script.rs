//! The words of a story.

use super::super::disk::Durability;

/// A line that says something.
pub struct Line<'a> {
    /// Counted from 1.
    pub number: usize,
    pub text: &'a str,
    pub words: Vec<&'a str>,
}

/// Lines without their comments; those that are nothing else are left out.
pub fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let numbered = text.lines().enumerate().map(|(at, line)| {
        let text = line.split('#').next().unwrap_or_default().trim();
        Line { number: at + 1, text, words: text.split_whitespace().collect() }
    });
    numbered.filter(|line| !line.words.is_empty())
}

/// A count. Errors: it is none.
pub fn number(word: &str) -> Result<u64, String> {
    word.parse().map_err(|_| format!("`{word}` is not a number"))
}

/// `1500`, `5s`, `2m`, `3h` or `30d`, in milliseconds.
pub fn duration(word: &str) -> Result<u64, String> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &word[digits.len()..] {
        "" | "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        unit => return Err(format!("`{unit}` is not a unit of time")),
    };
    Ok(number(digits)? * unit)
}

/// `+5s` or `-3h`, in milliseconds.
pub fn offset(word: &str) -> Result<i64, String> {
    let ahead = |word| duration(word).map(|ms| ms as i64);
    match word.split_at_checked(1) {
        Some(("+", rest)) => ahead(rest),
        Some(("-", rest)) => ahead(rest).map(|ms| -ms),
        _ => Err(format!("`{word}` is neither +time nor -time")),
    }
}

/// A value: itself, or `x*100` for a hundred of them.
pub fn value(word: &str) -> Result<Vec<u8>, String> {
    match word.split_once('*') {
        Some((part, times)) => Ok(part.repeat(number(times)? as usize).into_bytes()),
        None => Ok(word.as_bytes().to_vec()),
    }
}

/// `sync`, `async` or `none`.
pub fn durability(word: &str) -> Result<Option<Durability>, String> {
    match word {
        "sync" => Ok(Some(Durability::Sync)),
        "async" => Ok(Some(Durability::Async)),
        "none" => Ok(None),
        _ => Err(format!("`{word}` is no durability")),
    }
}

/// `name=value`.
pub fn pair(word: &str) -> Result<(&str, &str), String> {
    word.split_once('=').ok_or_else(|| format!("`{word}` is not name=value"))
}
