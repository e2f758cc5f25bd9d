//! `make header`: writes `include/p2pmap.h` from the sources of this crate.

mod generate;

fn main() -> std::io::Result<()> {
    std::fs::write(generate::path(), generate::header())
}
