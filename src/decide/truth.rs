//! Three truth values, and how long they last if time alone passes.

/// No later instant.
pub(crate) const NEVER: i64 = i64::MAX;

/// Kleene's three truth values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Truth {
    False,
    Unknown,
    True,
}

impl Truth {
    pub fn of(b: bool) -> Truth {
        if b { Truth::True } else { Truth::False }
    }
}

/// A truth value that is the same at every instant in `[now, until)`.
///
/// `until` is a lower bound: at `until` itself the value has to be looked at again, and may turn out the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timed {
    pub truth: Truth,
    /// Nanoseconds since the epoch, later than now; [`NEVER`] if time alone does not change it.
    pub until: i64,
}

impl Timed {
    pub const TRUE: Timed = Timed { truth: Truth::True, until: NEVER };
    pub const FALSE: Timed = Timed { truth: Truth::False, until: NEVER };
    pub const UNKNOWN: Timed = Timed { truth: Truth::Unknown, until: NEVER };

    pub fn of(b: bool) -> Timed {
        Timed { truth: Truth::of(b), until: NEVER }
    }

    pub fn new(truth: Truth, until: i64) -> Timed {
        Timed { truth, until }
    }

    pub fn not(self) -> Timed {
        let truth = match self.truth {
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
            Truth::True => Truth::False,
        };
        Timed { truth, until: self.until }
    }

    /// True while all are. A false one keeps the whole false for as long as it lasts, so the longest one counts;
    /// otherwise the first change of any may change the whole.
    pub fn and(self, other: Timed) -> Timed {
        use Truth::*;
        match (self.truth, other.truth) {
            (False, False) => Timed::new(False, self.until.max(other.until)),
            (False, _) => self,
            (_, False) => other,
            (a, b) => Timed::new(a.min(b), self.until.min(other.until)),
        }
    }

    /// False while all are; the mirror image of [`Timed::and`].
    pub fn or(self, other: Timed) -> Timed {
        self.not().and(other.not()).not()
    }

    pub fn all(items: impl IntoIterator<Item = Timed>) -> Timed {
        items.into_iter().fold(Timed::TRUE, Timed::and)
    }

    pub fn any(items: impl IntoIterator<Item = Timed>) -> Timed {
        items.into_iter().fold(Timed::FALSE, Timed::or)
    }

    /// The same value, to be looked at again by `until` at the latest.
    pub fn by(self, until: i64) -> Timed {
        Timed { truth: self.truth, until: self.until.min(until) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_false_conjunct_holds_the_whole_as_long_as_it_lasts() {
        let a = Timed::new(Truth::False, 10);
        let b = Timed::new(Truth::False, 20);
        let c = Timed::new(Truth::True, 5);
        assert_eq!(a.and(b), Timed::new(Truth::False, 20));
        assert_eq!(a.and(c), a);
        assert_eq!(c.and(Timed::UNKNOWN), Timed::new(Truth::Unknown, 5));
        assert_eq!(c.or(a), c);
        assert_eq!(a.or(b), Timed::new(Truth::False, 10));
        assert_eq!(Timed::new(Truth::True, 7).or(Timed::new(Truth::True, 9)), Timed::new(Truth::True, 9));
    }

    #[test]
    fn unknown_is_never_true() {
        assert_eq!(Timed::UNKNOWN.and(Timed::TRUE).truth, Truth::Unknown);
        assert_eq!(Timed::UNKNOWN.and(Timed::FALSE).truth, Truth::False);
        assert_eq!(Timed::UNKNOWN.or(Timed::TRUE).truth, Truth::True);
        assert_eq!(Timed::UNKNOWN.or(Timed::FALSE).truth, Truth::Unknown);
        assert_eq!(Timed::UNKNOWN.not().truth, Truth::Unknown);
    }
}
