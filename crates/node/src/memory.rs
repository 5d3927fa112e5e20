//! What the allocator is told.

/// Parts into which glibc divides what its threads share of memory.
///
/// By default there may be eight for every processor, and a node has many threads: what one of them frees, the others cannot use. With two, a
/// node that has executed 300,000 deposits takes 40 MB less, and is no slower (`docs/benchmarks.md`).
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ARENAS: i32 = 2;

/// To be called before threads are started.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn settle() {
    // SAFETY: it sets a number inside the allocator, under the allocator's own lock, and takes no pointers.
    #[allow(unsafe_code)]
    let known = unsafe { libc::mallopt(libc::M_ARENA_MAX, ARENAS) };
    if known == 0 {
        tracing::debug!("the allocator does not know how many arenas it may have");
    }
}

/// Other allocators are left as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn settle() {}
