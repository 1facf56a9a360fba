//! Kleene's three values.

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    False,
    Unknown,
    True,
}

impl Truth {
    pub fn of(b: bool) -> Truth {
        if b { Truth::True } else { Truth::False }
    }

    pub fn maybe(b: Option<bool>) -> Truth {
        b.map_or(Truth::Unknown, Truth::of)
    }

    pub fn all(items: impl IntoIterator<Item = Truth>) -> Truth {
        items.into_iter().min().unwrap_or(Truth::True)
    }

    pub fn any(items: impl IntoIterator<Item = Truth>) -> Truth {
        items.into_iter().max().unwrap_or(Truth::False)
    }
}

impl std::ops::Not for Truth {
    type Output = Truth;
    fn not(self) -> Truth {
        match self {
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
            Truth::True => Truth::False,
        }
    }
}
