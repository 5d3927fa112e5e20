//! The `zhulian` program; everything is in the library. Here is only what a program has once: its allocator.

/// jemalloc: what one thread of a node takes another gives back, millions of times a minute, which it does with less of the processor's time and
/// in less memory than glibc (`docs/benchmarks.md`).
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What jemalloc reads before `main`. Two arenas, since what is free in one is not used by the others; pages that nobody needed for a second go back
/// to the system.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
// SAFETY: jemalloc wants a pointer to a text that ends with a zero under this name, and nothing else has the name.
#[unsafe(export_name = "malloc_conf")]
pub static MALLOC_CONF: &[u8; 47] = b"narenas:2,dirty_decay_ms:1000,muzzy_decay_ms:0\0";

fn main() -> std::process::ExitCode {
    zhulian_cli::main()
}
