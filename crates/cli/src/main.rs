//! The `zhulian` program; everything is in the library.

/// Transactions are many small pieces that one thread makes and another drops, which is what the system's allocator is slowest at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of `mimalloc.h`, in milliseconds.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

fn main() -> std::process::ExitCode {
    // Memory that a block needed is needed again by the next; on virtual machines, getting it back from the system costs more than the
    // block. What nothing needs for ten minutes goes back. `MIMALLOC_PURGE_DELAY` in the environment has precedence.
    #[expect(unsafe_code, reason = "sets a number; the crate offers no safe function for it")]
    unsafe {
        libmimalloc_sys::mi_option_set_default(PURGE_DELAY, 600_000);
    }
    zhulian_cli::main()
}
