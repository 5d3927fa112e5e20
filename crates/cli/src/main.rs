//! The `zhulian` program; everything is in the library.

/// Transactions are many small pieces that one thread makes and another drops, which is what the system's allocator is slowest at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    zhulian_cli::main()
}
