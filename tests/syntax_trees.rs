//! Whatever tree is printed, reading it gives that tree; whatever text is read, nothing breaks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "common/tree.rs"]
mod random;
mod syntax;

use proptest::prelude::*;
use stagegate::syntax::print;

proptest! {
    #[test]
    fn a_printed_tree_is_read_as_the_same_tree(file in random::file()) {
        let text = print(&file, "");
        let (parsed, sources) = syntax::read(&text);
        prop_assert!(parsed.diagnostics.is_empty(), "{}\n{text}", syntax::rendered(&parsed.diagnostics, &sources));
        prop_assert_eq!(syntax::shape(&file), syntax::shape(&parsed.file), "of\n{}", text);
        // With the places of the text at hand nothing moves.
        prop_assert_eq!(print(&parsed.file, &text), text);
    }

    #[test]
    fn comments_anywhere_in_a_text_are_kept(file in random::file(), seed in any::<u64>()) {
        let text = print(&file, "");
        let mut commented = String::new();
        let mut state = seed | 1;
        for (at, c) in text.char_indices() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let breaks = text[..at].bytes().filter(|b| *b == b'"').count() % 2 == 0 && c == ' ' && !text[at..].starts_with("  ");
            match state >> 60 {
                0 if breaks => commented.push_str(" # one\n "),
                1 if breaks => commented.push_str("\n\n  # two\n\n"),
                2 if breaks => commented.push('\n'),
                _ => commented.push(c),
            }
        }
        // Where a blank belongs to a word, the text is broken now: then it is no text to keep comments of.
        if syntax::read(&commented).0.diagnostics.is_empty() {
            syntax::format(&commented);
        }
    }

    #[test]
    fn words_in_any_order_are_read_or_explained(words in proptest::collection::vec(soup(), 0..40)) {
        let text = words.concat();
        let (parsed, sources) = syntax::read(&text);
        for diagnostic in &parsed.diagnostics {
            let span = diagnostic.span();
            prop_assert!(span.start <= span.end && span.end as usize <= text.len());
            prop_assert!(!sources.place(span).file.is_empty());
        }
        prop_assert!(text.trim().is_empty() || !syntax::rendered(&parsed.diagnostics, &sources).is_empty() || !parsed.file.items.is_empty());
        if parsed.diagnostics.is_empty() {
            syntax::format(&text);
        }
    }
}

fn soup() -> impl Strategy<Value = String> {
    let words = [
        "stage A {\n",
        "}\n",
        "require r: ",
        "a ",
        "== ",
        "and ",
        "or ",
        "not ",
        "(",
        ")",
        "[",
        "]",
        "{",
        ",",
        "\"x\" ",
        "\"",
        "/",
        "/a/ ",
        "matches ",
        "# c\n",
        "\n",
        "define d = ",
        "fact f : ",
        "set of ",
        "number ",
        "group g = ",
        "test \"t\" {\n",
        "at 2026-03-04 10:00\n",
        "mon 09:00..17:00 ",
        "window w: ",
        "approve q: ",
        "2 of ops ",
        "valid 1h ",
        "when ",
        "because ",
        "é",
        "\r\n",
        "\u{feff}",
        "..",
        ":",
        "=",
        ".",
        "12 ",
        "trigger push ",
        "calendar c = ",
        "except ",
        "in \"UTC\" ",
        "policy p\n",
        "every ",
        "is set ",
        "expect A allow\n",
        "\\",
        "\t",
    ];
    proptest::sample::select(words.map(str::to_string).to_vec())
}
