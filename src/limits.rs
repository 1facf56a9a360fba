//! Bounds on what a policy and a request may ask of the machine.

/// Bounds on policies and requests. They are counted, never timed, so that the same input is accepted or
/// refused on every machine.
///
/// ```
/// use stagegate::Limits;
/// let limits = Limits { source_bytes: 16 * 1024, ..Limits::default() };
/// assert_eq!(limits.depth, 64);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one source file. Default 1 MiB.
    pub source_bytes: usize,
    /// Tokens (words, literals, brackets, operators) of one source file. Default 200,000.
    pub tokens: usize,
    /// Nesting of brackets, of `not`, and of definitions or calendars that use one another. Default 64.
    pub depth: usize,
    /// Files that one policy includes, directly or through others; those that cannot be read count too. Default 64.
    pub includes: usize,
    /// Rules of a policy, over all of its stages (rules of `stage *` count once for each stage). Default 20,000.
    pub rules: usize,
    /// Entries of the flat program of a policy. Default 1,000,000.
    pub program: usize,
    /// People that a policy names, over all groups. Default 200,000.
    pub people: usize,
    /// Bytes of one compiled regular expression or glob. Default 1 MiB.
    pub regex_bytes: usize,
    /// Steps that the search for a moment in time (`allowed_at`, `valid_until`, edges of a window) may take before it
    /// gives up and says so. Default 1,000,000.
    pub search_steps: usize,
    /// Entries of a request, over history, approvals, overrides, groups and facts. Default 200,000.
    pub request_entries: usize,
    /// Nesting of lists and maps in the facts of a request. Default 8.
    pub request_depth: usize,
    /// Bytes of a request in JSON. Default 16 MiB.
    pub request_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            source_bytes: 1 << 20,
            tokens: 200_000,
            depth: 64,
            includes: 64,
            rules: 20_000,
            program: 1_000_000,
            people: 200_000,
            regex_bytes: 1 << 20,
            search_steps: 1_000_000,
            request_entries: 200_000,
            request_depth: 8,
            request_bytes: 16 << 20,
        }
    }
}
