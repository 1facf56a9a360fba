//! Policies in several files: names of files, circles, limits, and what each kind of file may hold.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod said;
use said::{compile, files_say, lines, of};
use stagegate::{Compiler, FileKind, FileLoader, Limits, MemoryLoader, Policy};

const BASE: &str = "stage * { require id: build.branch == \"main\" }";

fn including(what: &str) -> String {
    format!("policy p include \"{what}\" stage Dev {{ trigger push }}")
}

#[test]
fn names_are_relative_to_the_file_that_includes() {
    let web = "include \"../base.gate\" include \"./more/x.gate\"";
    let files = [
        ("p.gate", including("teams/web.gate")),
        ("teams/web.gate", web.to_string()),
        ("base.gate", BASE.to_string()),
        ("teams/more/x.gate", "fact f : bool".to_string()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let policy = compile(&files).unwrap();
    let names: Vec<&str> = policy.sources().iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["p.gate", "teams/web.gate", "base.gate", "teams/more/x.gate"]);
}

#[test]
fn no_include_leaves_the_root() {
    for (name, line) in [
        ("../base.gate", "leaves the root folder"),
        ("a/../../base.gate", "leaves the root folder"),
        ("/base.gate", "is an absolute path"),
        ("C:/base.gate", "begins with a drive letter"),
        ("a\\\\b.gate", "has a backslash in it"),
        ("a//base.gate", "has an empty part"),
        ("base.gate/", "has an empty part"),
        ("", "names no file"),
        ("..", "leaves the root folder"),
        ("a/..", "names a folder, not a file"),
    ] {
        let text = including(name);
        let said = said::said_of(&[("p.gate", &text), ("base.gate", BASE)]);
        let shown = name.replace("\\\\", "\\");
        assert!(said.len() == 1 && said[0].starts_with(&format!("E0702 1:18 `{shown}` {line}")), "{name}: {said:?}");
    }
    files_say(&[("p.gate", &including("a/../base.gate")), ("base.gate", BASE)], &[]);
}

#[test]
fn a_file_that_is_not_there_is_told_once_and_blamed_for_nothing_else() {
    files_say(
        &[("p.gate", "policy p include \"b.gate\" include \"b.gate\" stage Dev { require r: from-b }")],
        &["E0701 1:18 `b.gate` cannot be read: there is no such file | included here"],
    );
}

#[test]
fn circles_are_errors_and_diamonds_are_not() {
    files_say(
        &[
            ("p.gate", &including("a.gate")),
            ("a.gate", "include \"b.gate\""),
            ("b.gate", "fact f : bool include \"a.gate\""),
        ],
        &[
            "E0703 b.gate:1:23 `a.gate` includes itself | and so the circle closes | a.gate:1:9 `a.gate` includes this | help: the circle is `a.gate` → `b.gate` → `a.gate` | help: remove one of these includes",
        ],
    );
    files_say(
        &[("p.gate", &including("p.gate"))],
        &[
            "E0703 1:18 `p.gate` includes itself | and so the circle closes | help: the circle is `p.gate` → `p.gate` | help: remove one of these includes",
        ],
    );
    files_say(
        &[
            ("p.gate", "policy p include \"a.gate\" include \"b.gate\" stage Dev { trigger push }"),
            ("a.gate", "include \"c.gate\""),
            ("b.gate", "include \"c.gate\""),
            ("c.gate", BASE),
        ],
        &[],
    );
    files_say(
        &[("p.gate", "policy p include \"c.gate\" include \"./c.gate\" stage Dev { trigger push }"), ("c.gate", BASE)],
        &["W0112 1:35 `./c.gate` is included twice in this file | included again | help: remove one of them"],
    );
}

#[test]
fn files_within_limits() {
    let limits = Limits { source_bytes: 90, includes: 2, ..Limits::default() };
    let long = format!("# {}", "x".repeat(100));
    let loader = MemoryLoader::new()
        .with("p.gate", including("b.gate"))
        .with("b.gate", long.as_str())
        .with("long.gate", long.as_str())
        .with("q.gate", including("bin.gate"))
        .with("bin.gate", b"fact a : bool\nfact \xff".to_vec())
        .with("r.gate", "policy p include \"1.gate\" include \"2.gate\" include \"3.gate\" include \"4.gate\"")
        .with("s.gate", "policy p include \"1.gate\" include \"2.gate\" stage A { trigger push }")
        .with("1.gate", "fact a : bool")
        .with("2.gate", "fact b : bool")
        .with("3.gate", "fact c : bool")
        .with("4.gate", "fact d : bool");
    let compiler = Compiler::new().limits(limits).loader(&loader);
    assert_eq!(
        of(compiler.compile("p.gate")),
        ["E0711 1:18 `b.gate` is larger than 90 bytes | included here | help: split it with `include`"]
    );
    assert_eq!(
        of(compiler.compile("long.gate")),
        ["E0711 long.gate:1:1 `long.gate` is larger than 90 bytes | help: split it with `include`"]
    );
    assert_eq!(
        of(compiler.compile("q.gate")),
        [
            "E0712 q.gate:1:18 `bin.gate` is not UTF-8: the first wrong byte is in line 2, at byte 19 of the file | included here | help: save it as UTF-8"
        ]
    );
    assert_eq!(
        of(compiler.compile("bin.gate")),
        [
            "E0712 bin.gate:1:1 `bin.gate` is not UTF-8: the first wrong byte is in line 2, at byte 19 of the file | help: save it as UTF-8"
        ]
    );
    assert_eq!(
        of(compiler.compile("r.gate")),
        ["E0714 r.gate:1:52 more than 2 files are included | the limit is passed here"]
    );
    assert_eq!(of(compiler.compile("s.gate")), [""; 0]);
    assert_eq!(
        of(compiler.compile("none.gate")),
        ["E0716 none.gate:1:1 `none.gate` cannot be read: there is no such file"]
    );
}

#[test]
fn a_policy_within_limits() {
    let compiler = Compiler::new().limits(Limits { rules: 3, program: 4, people: 2, ..Limits::default() });
    let say = |text: &str| of(compiler.compile_text("p.gate", text));
    assert_eq!(say("policy p stage * { trigger push } stage A {} stage B {} stage C {}"), [""; 0]);
    assert_eq!(
        say("policy p stage * { trigger push } stage A {} stage B {} stage C {} stage D {}"),
        [
            "E0714 1:16 more than 3 rules | the limit is passed here | help: rules of `stage *` count once for each stage"
        ]
    );
    assert_eq!(say("policy p group g = [a, b] stage A { approve q: 1 of g }"), [""; 0]);
    assert_eq!(
        say("policy p group g = [a, b, c] stage A { approve q: 1 of g }"),
        [
            "E0714 1:16 more than 2 people in groups | the limit is passed here | help: take large groups from the request: `group name from directory`"
        ]
    );
    let long =
        "policy p stage A { require r: build.branch == \"a\" or build.branch == \"b\" or build.branch == \"c\" }";
    assert!(say(long)[0].starts_with("E0714 1:31 the policy has more than 4 entries"), "{:?}", say(long));
}

#[test]
fn files_on_disk() {
    let root = std::env::temp_dir().join(format!("stagegate-includes-{}", std::process::id()));
    let inside = root.join("in");
    std::fs::create_dir_all(inside.join("folder")).unwrap();
    std::fs::write(root.join("outside.gate"), "fact f : bool").unwrap();
    std::fs::write(inside.join("base.gate"), BASE).unwrap();
    std::fs::write(inside.join("bytes.gate"), b"\xff\xfe").unwrap();
    let say = |what: &str| {
        std::fs::write(inside.join("p.gate"), including(what)).unwrap();
        of(Policy::from_file(inside.join("p.gate")))
    };
    assert_eq!(say("base.gate"), [""; 0]);
    assert_eq!(
        say("folder"),
        ["E0701 1:18 `folder` cannot be read: it is a folder | included here | help: name a file in it"]
    );
    assert_eq!(say("none.gate"), ["E0701 1:18 `none.gate` cannot be read: there is no such file | included here"]);
    assert!(say("bytes.gate")[0].starts_with("E0712 1:18"));
    assert!(say("../outside.gate")[0].starts_with("E0702 1:18"));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(root.join("outside.gate"), inside.join("link.gate")).unwrap();
        std::os::unix::fs::symlink(inside.join("base.gate"), inside.join("good.gate")).unwrap();
        assert_eq!(
            say("link.gate"),
            [
                "E0701 1:18 `link.gate` cannot be read: it lies outside the root | included here | help: a link must not lead out of the root folder"
            ]
        );
        assert_eq!(say("good.gate"), [""; 0]);
        // Nobody ever writes to it: it must not be waited for.
        let made = std::process::Command::new("mkfifo").arg(inside.join("pipe.gate")).status();
        if made.is_ok_and(|status| status.success()) {
            let told = say("pipe.gate");
            assert_eq!(told, ["E0701 1:18 `pipe.gate` cannot be read: it is a pipe or a device | included here"]);
            assert_eq!(say("good.gate"), [""; 0]);
        }
    }
    assert_eq!(
        of(Policy::from_file(inside.join("nothing.gate")))[0],
        "E0716 nothing.gate:1:1 `nothing.gate` cannot be read: there is no such file"
    );
    assert!(of(Policy::from_file(&inside))[0].starts_with("E0716 in:1:1 `in` cannot be read: it is a folder"));
    let loader = FileLoader::new(&root);
    assert_eq!(of(Compiler::new().loader(&loader).compile("in/p.gate")), [""; 0]);
    std::fs::remove_dir_all(&root).unwrap();
}

#[test]
fn the_digest_knows_which_text_is_in_which_file() {
    let digest = |files: &[(&str, &str)]| compile(files).unwrap().digest().to_string();
    let one = digest(&[("p.gate", "include \"b.gate\" stage A { trigger push }"), ("b.gate", "fact a : bool\n")]);
    assert_eq!(
        one,
        digest(&[("p.gate", "include \"b.gate\" stage A { trigger push }"), ("b.gate", "fact a : bool\n")])
    );
    assert_ne!(
        one,
        digest(&[("p.gate", "include \"b.gate\" stage A { trigger push }\n"), ("b.gate", "fact a : bool")])
    );
    assert_ne!(one, digest(&[("p.gate", "include \"b.gate\" stage A { trigger push }"), ("b.gate", "fact a : bool")]));
    assert_ne!(digest(&[("p.gate", "stage A { trigger push }")]), digest(&[("q.gate", "stage A { trigger push }")]));
}

#[test]
fn a_policy_without_a_name_is_called_like_its_file() {
    assert_eq!(compile(&[("teams/web.gate", "stage A { trigger push }")]).unwrap().name(), "web");
    assert_eq!(compile(&[("teams/web.gate", "policy shop stage A { trigger push }")]).unwrap().name(), "shop");
    assert_eq!(
        compile(&[("teams/web.gate", "include \"b.gate\" stage A { trigger push }"), ("teams/b.gate", "policy b")])
            .unwrap()
            .name(),
        "web"
    );
}

#[test]
fn any_kind_of_file_can_be_checked() {
    let tests = "test for \"p.gate\" test \"t\" { at 2026-03-04 10:00 build { id: \"1\" } push expect Dev allow }";
    let files = MemoryLoader::new()
        .with("p.gate", "policy p stage Dev { trigger push }")
        .with(
            "base.gate",
            "group unused = [tim] stage * { require id: build.branch == \"main\" approve q: 1 of [a] since Test }",
        )
        .with("bad.gate", "stage * { require id: build.brunch == \"main\" }")
        .with("t/a.gate", tests)
        .with("a.gate", tests)
        .with("b.gate", "test for \"p.gate\" fact f : bool")
        .with("c.gate", "test for \"none.gate\"")
        .with("d.gate", "test for \"broken.gate\"")
        .with("broken.gate", "policy p")
        .with("e.gate", "test for \"e.gate\"");
    let compiler = Compiler::new().loader(&files);
    let check = |name: &str| {
        let report = compiler.check(name);
        (report.kind(), report.policy().is_some(), lines(report.diagnostics(), report.sources()))
    };
    let none: Vec<String> = Vec::new();
    assert_eq!(check("p.gate"), (FileKind::Policy, true, none.clone()));
    assert_eq!(check("base.gate"), (FileKind::Library, false, none.clone()));
    let (kind, _, said) = check("bad.gate");
    assert!(kind == FileKind::Library && said.len() == 1 && said[0].starts_with("E0201 bad.gate:1:29"), "{said:?}");
    assert_eq!(check("a.gate"), (FileKind::Tests, true, none));
    assert_eq!(
        check("t/a.gate").2,
        ["E0701 t/a.gate:1:10 `t/p.gate` cannot be read: there is no such file | the policy that the tests are for"]
    );
    assert_eq!(
        check("b.gate").2,
        [
            "E0606 b.gate:1:19 a file of tests holds `test` and `scenario` only | cannot stand here | help: move it into the policy"
        ]
    );
    assert_eq!(
        check("c.gate").2,
        ["E0701 c.gate:1:10 `none.gate` cannot be read: there is no such file | the policy that the tests are for"]
    );
    assert_eq!(
        check("d.gate").2,
        [
            "E0605 broken.gate:1:8 the policy has no stage | nothing can be decided by it | help: add one: `stage Dev { trigger push }`"
        ]
    );
    assert_eq!(
        check("e.gate").2,
        ["E0703 e.gate:1:10 these tests are for themselves | this very file | help: name the policy that they are for"]
    );
    let report = compiler.check("a.gate");
    let policy = report.policy().unwrap();
    assert_eq!(policy.digest(), compiler.compile("p.gate").unwrap().digest());
    assert_eq!(policy.files().len(), 2);
    assert!(compiler.compile("a.gate").is_err());
}
