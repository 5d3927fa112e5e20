//! The `zhulian` program; everything is in the library.

fn main() -> std::process::ExitCode {
    zhulian_cli::main()
}
