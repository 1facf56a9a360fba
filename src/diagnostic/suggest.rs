//! "Did you mean": the nearest of the names that exist.

/// The candidate nearest to `word`, if one is near enough to be a slip of the hand.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Comparing costs the product of the lengths.
    if word.len() > 100 {
        return None;
    }
    let lower = word.to_lowercase();
    let budget = match word.chars().count() {
        0..=3 => 1,
        4..=5 => 2,
        6..=9 => 3,
        _ => 4,
    };
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let distance = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
            let same_stem = lower.len() >= 3 && candidate.to_lowercase().starts_with(&lower);
            let score = if same_stem { distance.min(1) } else { distance };
            (score <= budget && score < word.chars().count()).then_some((score, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// "did you mean `x`?" for the nearest candidate.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// "`a`, `b` and `c`"; at most `max` of them, then "and 12 more".
pub fn list_words<S: AsRef<str>>(words: &[S], max: usize) -> String {
    let shown: Vec<String> = words.iter().take(max).map(|w| format!("`{}`", w.as_ref())).collect();
    let more = words.len().saturating_sub(shown.len());
    match (shown.split_last(), more) {
        (None, _) => "nothing".to_string(),
        (Some(_), 1..) => format!("{} and {more} more", shown.join(", ")),
        (Some((last, [])), 0) => last.clone(),
        (Some((last, rest)), 0) => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_hand_is_found_and_a_stranger_is_not() {
        let words = ["coverage", "checks", "testers"];
        assert_eq!(nearest("covrage", words), Some("coverage"));
        assert_eq!(nearest("Checks", words), Some("checks"));
        assert_eq!(nearest("banana", words), None);
        assert_eq!(nearest("x", words), None);
    }

    #[test]
    fn words_are_listed_as_in_a_sentence() {
        assert_eq!(list_words::<&str>(&[], 3), "nothing");
        assert_eq!(list_words(&["a"], 3), "`a`");
        assert_eq!(list_words(&["a", "b", "c"], 3), "`a`, `b` and `c`");
        assert_eq!(list_words(&["a", "b", "c", "d"], 2), "`a`, `b` and 2 more");
    }
}
