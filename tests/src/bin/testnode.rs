//! A node that is told what to do on standard input.
fn main() {}
