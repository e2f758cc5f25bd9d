//! See the library: other programs that measure share parts of it.

fn main() -> std::process::ExitCode {
    p2pmap_bench::run()
}
